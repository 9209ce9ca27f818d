#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>

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

/// Bytes that were written and that the peer's machine has not acknowledged; 0 when the kernel does
/// not tell. SIOCOUTQ on Linux, SO_NWRITE on macOS.
std::size_t unacknowledged_bytes(boost::asio::ip::tcp::socket& socket) noexcept;

}  // namespace lmb::net
