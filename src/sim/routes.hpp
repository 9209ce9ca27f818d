#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "studio.hpp"

namespace lmb::sim {

/// Answers any request to a simulated LM Studio.
boost::asio::awaitable<void> serve(std::shared_ptr<Studio> studio, http::Exchange& exchange);

}  // namespace lmb::sim
