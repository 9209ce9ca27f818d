#pragma once

#include <boost/asio/ip/tcp.hpp>

namespace lmb::net {

enum class PeerState {
  open,
  half_closed,  ///< It has ended its direction (its FIN arrived) and may still read.
  gone,         ///< There is no connection any more, as after its RST.
};

/// What the peer has done to the connection, however many bytes are still unread. Asks the kernel's
/// own state: TCP_INFO on Linux, TCP_CONNECTION_INFO on macOS. A kernel that does not tell counts
/// as "open".
PeerState peer_state(boost::asio::ip::tcp::socket& socket) noexcept;

}  // namespace lmb::net
