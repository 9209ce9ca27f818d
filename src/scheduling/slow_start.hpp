#pragma once

#include <cstdint>
#include <optional>

#include "lmb/base/clock.hpp"

namespace lmb::scheduling {

/// Lets a worker that comes back take on its load step by step: one request at first, all its slots
/// after the window, evenly in between.
class SlowStart {
 public:
  void begin(TimePoint now) noexcept { since_ = now; }

  /// True when a worker with so many slots may run one request more than `running`.
  [[nodiscard]] bool allows(std::uint32_t running, std::uint32_t slots, Duration window,
                            TimePoint now) const noexcept {
    return !since_ || now >= allowed_at(running, slots, window);
  }
  /// When allows() becomes true without any event; nothing when it is true all the time.
  [[nodiscard]] std::optional<TimePoint> waits_until(std::uint32_t running, std::uint32_t slots,
                                                     Duration window) const noexcept {
    return since_ ? std::optional(allowed_at(running, slots, window)) : std::nullopt;
  }

 private:
  [[nodiscard]] TimePoint allowed_at(std::uint32_t running, std::uint32_t slots,
                                     Duration window) const noexcept {
    if (running == 0 || slots <= 1) {
      return *since_;
    }
    const Duration step = window / (slots - 1);
    return running >= slots ? add_saturated(*since_, window) : *since_ + step * running;
  }

  std::optional<TimePoint> since_;
};

}  // namespace lmb::scheduling
