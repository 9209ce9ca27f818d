#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "fault_script.hpp"
#include "lmb/http/server.hpp"
#include "problem.hpp"

namespace lmb::sim {

/// How faults are played, where they need nothing but the exchange.

/// Returns when the client is gone.
boost::asio::awaitable<void> wait_for_disconnect(http::Exchange& exchange);

/// Plays what replaces the whole answer. False when `what` is nothing of that kind.
boost::asio::awaitable<bool> play_before_head(http::Exchange& exchange, Misbehaviour what);

/// Sends a whole JSON answer, or what the mid-stream faults make of it. `body` outlives the call.
boost::asio::awaitable<void> respond_or_play(http::Exchange& exchange, Misbehaviour what,
                                             const std::string& body);

/// Sends an error answer.
boost::asio::awaitable<bool> refuse(http::Exchange& exchange, const Refusal& refusal);

inline constexpr const char* json_type = "application/json; charset=utf-8";

}  // namespace lmb::sim
