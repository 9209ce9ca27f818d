#pragma once

#include <boost/asio/ip/tcp.hpp>

namespace lmb::net {

/// Lets TCP itself find out that a peer has vanished without a word (power cut, cable): after 15 s
/// of silence a probe each 5 s, dead after 3. Waiting reads then fail, so neither a queue place nor
/// a slot is held for a ghost. (SO_KEEPALIVE of POSIX; TCP_KEEPIDLE on Linux is TCP_KEEPALIVE on
/// macOS.)
void probe_silent_peer(boost::asio::ip::tcp::socket& socket) noexcept;

}  // namespace lmb::net
