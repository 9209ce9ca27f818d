#include "breaker.hpp"

#include <algorithm>

namespace lmb::scheduling {

TimePoint Breaker::waits_until() const noexcept {
  return trial_since_ ? add_saturated(*trial_since_, options_.probation_max) : *open_until_;
}

bool Breaker::success() noexcept {
  const bool was_open = !closed();
  faults_ = 0;
  openings_ = 0;
  open_until_.reset();
  trial_since_.reset();
  return was_open;
}

void Breaker::fault(TimePoint now, std::mt19937_64& random) {
  last_fault_ = now;
  if (!closed() || ++faults_ >= options_.breaker_faults) {
    open(now, random);
  }
}

void Breaker::open(TimePoint now, std::mt19937_64& random) {
  // Faults of requests that were sent before it opened tell nothing new.
  if (!closed() && !on_trial()) {
    return;
  }
  Duration wait = options_.breaker_open;
  for (std::uint32_t i = 0; i < openings_ && wait < options_.breaker_open_max; ++i) {
    wait *= 2;
  }
  wait = std::min(wait, options_.breaker_open_max);
  // Not a distribution of <random>: those differ between standard libraries.
  const auto percent = static_cast<std::int64_t>(80 + random() % 41);
  open_until_ = add_saturated(now, wait / 100 * percent);
  ++openings_;
  faults_ = 0;
  trial_since_.reset();
}

}  // namespace lmb::scheduling
