#pragma once

#include <boost/asio/ip/tcp.hpp>

namespace lmb::net {

/// True when the peer has ended its direction of the connection (its FIN arrived) or the connection
/// is gone, however many bytes are still unread. Asks the kernel's own state: TCP_INFO on Linux,
/// TCP_CONNECTION_INFO on macOS. A kernel that does not tell counts as "no".
bool peer_has_ended(boost::asio::ip::tcp::socket& socket) noexcept;

}  // namespace lmb::net
