#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "lmb/base/error.hpp"

namespace lmb::app {

/// Sends one streamed chat request to a balancer, as any client would, prints the tokens to stdout
/// as they come, then which worker answered, TTFT, tokens/s and where the time went. Blocks; gives
/// up after 60 s of silence. Errors: connect_failed, worker_closed, bad_response (detail: the
/// status and body received).
Result<void> show_sample(const boost::asio::ip::tcp::endpoint& balancer, const std::string& model);

}  // namespace lmb::app
