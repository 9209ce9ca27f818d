#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "lmb/base/error.hpp"

namespace lmb::net {

/// The addresses of a host, in the order in which they should be tried. IP literals (also with a
/// zone) resolve without a look-up. The look-up itself runs on Asio's resolver thread, never on a
/// shard. Errors: connect_failed with the resolver's message. Cancellation: terminal, ends it with
/// connect_failed.
boost::asio::awaitable<Result<std::vector<boost::asio::ip::tcp::endpoint>>> resolve(
    std::string host, std::uint16_t port);

}  // namespace lmb::net
