#pragma once

#include <boost/asio/awaitable.hpp>

#include "generation.hpp"

namespace lmb::sim {

/// Streams a generation, load included.
boost::asio::awaitable<void> stream(http::Exchange& exchange, Generation& generation);

}  // namespace lmb::sim
