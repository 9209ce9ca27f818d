#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "generation_request.hpp"
#include "lmb/http/server.hpp"
#include "lmb/sim/fault.hpp"

namespace lmb::sim {

/// How faults are played, where they need nothing but the exchange.

/// Returns when the client is gone.
boost::asio::awaitable<void> wait_for_disconnect(http::Exchange& exchange);

/// Plays a fault that replaces the whole answer. False when `fault` is none of these.
boost::asio::awaitable<bool> play_before_head(http::Exchange& exchange, Fault fault);

/// Sends a whole JSON answer, or what the mid-stream faults make of it. `body` outlives the call.
boost::asio::awaitable<void> respond_or_play(http::Exchange& exchange, Fault fault,
                                             const std::string& body);

/// Sends an error answer.
boost::asio::awaitable<bool> refuse(http::Exchange& exchange, const Refusal& refusal);

inline constexpr const char* json_type = "application/json; charset=utf-8";

}  // namespace lmb::sim
