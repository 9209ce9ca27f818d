#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tcp_state.hpp"

namespace lmb::net {

PeerState peer_state(boost::asio::ip::tcp::socket& socket) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return PeerState::open;
  }
  switch (info.tcpi_state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
      return PeerState::open;
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING:
      return PeerState::half_closed;
    default:
      return PeerState::gone;
  }
}

}  // namespace lmb::net
