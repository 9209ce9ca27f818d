#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>

#include "lmb/base/clock.hpp"

namespace lmb::net {

/// How Asio waits on lmb::Clock: really, or, when tests drive the clock, not at all (they poll).
struct ClockWaitTraits {
  static Duration to_wait_duration(const Duration& d) {
    if (Clock::is_manual()) return Duration::zero();
    return d < Duration::zero() ? Duration::zero() : d;
  }
  static Duration to_wait_duration(const TimePoint& t) {
    return to_wait_duration(t - Clock::now());
  }
};

/// Asio timer on the program's clock.
using Timer = boost::asio::basic_waitable_timer<Clock, ClockWaitTraits>;

}  // namespace lmb::net
