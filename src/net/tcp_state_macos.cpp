#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/tcp_fsm.h>
#include <sys/socket.h>

#include "tcp_state.hpp"

namespace lmb::net {

bool peer_has_ended(boost::asio::ip::tcp::socket& socket) noexcept {
  tcp_connection_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &size) != 0) {
    return false;
  }
  return info.tcpi_state != TCPS_ESTABLISHED && info.tcpi_state != TCPS_FIN_WAIT_1 &&
         info.tcpi_state != TCPS_FIN_WAIT_2;
}

}  // namespace lmb::net
