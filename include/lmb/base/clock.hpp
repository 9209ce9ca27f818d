#pragma once

#include <chrono>

namespace lmb {

using Duration = std::chrono::nanoseconds;

/// The program's only monotonic clock.
///
/// `now()` is a link seam: an executable links either `lmb::clock_real` (the operating system's
/// steady clock) or `lmb::clock_manual` (tests move it, see manual_clock.hpp). Code that decides
/// something takes a TimePoint as an argument and never calls `now()` itself.
/// Thread safety: `now()` may be called from any thread.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
  /// True when tests drive the clock; timers then fire as soon as they are polled after expiry.
  static bool is_manual() noexcept;
};

using TimePoint = Clock::time_point;

/// Time of day, for log lines and protocol fields only; never subtract two of these.
std::chrono::system_clock::time_point wall_now() noexcept;

/// `a + b` without overflow: a duration near Duration::max() means "never".
constexpr TimePoint add_saturated(TimePoint a, Duration b) noexcept {
  return b > TimePoint::max() - a ? TimePoint::max() : a + b;
}

}  // namespace lmb
