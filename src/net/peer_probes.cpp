#include "peer_probes.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace lmb::net {
namespace {

constexpr int silence_seconds = 15;
constexpr int interval_seconds = 5;
constexpr int probes = 3;

#ifdef __APPLE__
constexpr int silence_option = TCP_KEEPALIVE;
#else
constexpr int silence_option = TCP_KEEPIDLE;
#endif

void set(int socket, int level, int option, int value) noexcept {
  // A kernel that refuses one of these still works; it only notices later.
  static_cast<void>(setsockopt(socket, level, option, &value, sizeof value));
}

}  // namespace

void probe_silent_peer(boost::asio::ip::tcp::socket& socket) noexcept {
  const int native = socket.native_handle();
  set(native, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(native, IPPROTO_TCP, silence_option, silence_seconds);
  set(native, IPPROTO_TCP, TCP_KEEPINTVL, interval_seconds);
  set(native, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

}  // namespace lmb::net
