#pragma once

#include "duration.hpp"
#include "lmb/base/clock.hpp"

namespace lmb::sim {

/// The time of one simulated machine, which runs `speed` times as fast as the program's clock and
/// agreed with it at `epoch`.
class MachineClock {
 public:
  MachineClock(TimePoint epoch, double speed) : epoch_(epoch), speed_(speed) {}

  [[nodiscard]] TimePoint simulated(TimePoint real) const {
    return epoch_ + scaled(real - epoch_, speed_);
  }
  /// Rounded up, so that at real(t) the machine has reached t.
  [[nodiscard]] TimePoint real(TimePoint simulated) const {
    const double distance = static_cast<double>((simulated - epoch_).count()) / speed_;
    // More than a hundred years is never.
    if (distance > 3.2e18) return TimePoint::max();
    return epoch_ + Duration(static_cast<Duration::rep>(distance)) + Duration(1);
  }
  /// The machine's time now.
  [[nodiscard]] TimePoint now() const { return simulated(Clock::now()); }

 private:
  TimePoint epoch_;
  double speed_;
};

}  // namespace lmb::sim
