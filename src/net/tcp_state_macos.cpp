#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/tcp_fsm.h>
#include <sys/socket.h>

#include "tcp_state.hpp"

namespace lmb::net {

PeerState peer_state(boost::asio::ip::tcp::socket& socket) noexcept {
  tcp_connection_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &size) != 0) {
    return PeerState::open;
  }
  switch (info.tcpi_state) {
    case TCPS_ESTABLISHED:
    case TCPS_FIN_WAIT_1:
    case TCPS_FIN_WAIT_2:
      return PeerState::open;
    case TCPS_CLOSE_WAIT:
    case TCPS_LAST_ACK:
    case TCPS_CLOSING:
      return PeerState::half_closed;
    default:
      return PeerState::gone;
  }
}

std::size_t unacknowledged_bytes(boost::asio::ip::tcp::socket& socket) noexcept {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  const bool told =
      getsockopt(socket.native_handle(), SOL_SOCKET, SO_NWRITE, &bytes, &size) == 0 && bytes >= 0;
  return told ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace lmb::net
