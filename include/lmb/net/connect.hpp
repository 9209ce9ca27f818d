#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/net/task.hpp"

namespace lmb::net {

/// RFC 8305 section 8: how long one address has the race for itself.
inline constexpr Duration connect_stagger = std::chrono::milliseconds(250);

/// Connects to the first of `endpoints` that answers (RFC 8305 section 5): the next address is
/// tried connect_stagger after the one before it, or as soon as that one has failed; the losers are
/// closed. `timeout` holds for each address. `endpoints` in the order to try (see resolve()); names
/// that have only dead addresses fail after the last one's timeout.
///
/// Errors: connect_failed (no address, or every one refused; the cause is the last one's),
/// connect_timeout (the last to fail did not answer), internal (no descriptor or port is left for
/// us: the peer's fault is not shown), and the interruption's reason. Uses the interruption's step
/// deadline.
Task<Result<Stream>> connect(boost::asio::any_io_executor executor, Interruption& interruption,
                             std::vector<boost::asio::ip::tcp::endpoint> endpoints,
                             Duration timeout);

/// RFC 8305 section 4: the families in turn, beginning with that of the first; within a family the
/// order stays.
std::vector<boost::asio::ip::tcp::endpoint> interleave_families(
    const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);

}  // namespace lmb::net
