#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "studio.hpp"

namespace lmb::sim {

inline constexpr std::string_view control_prefix = "/sim/";

/// Answers the control calls under /sim/, which LM Studio does not have: what a test does to a
/// worker in its own process, done to one in another. See docs/simulator.md.
boost::asio::awaitable<void> answer_control(std::shared_ptr<Studio> studio,
                                            http::Exchange& exchange);

}  // namespace lmb::sim
