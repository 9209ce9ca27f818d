#include "health.hpp"

namespace lmb::scheduling {

bool Health::observe(bool good) noexcept {
  const bool opposes = good ? state_ != WorkerState::up : state_ != WorkerState::down;
  if (!opposes) {
    opposing_ = 0;
    return false;
  }
  // At start the operator waits for the fleet: one right answer is proof enough.
  const std::uint32_t successes_needed =
      state_ == WorkerState::starting ? 1 : options_.successes_up;
  if (++opposing_ < (good ? successes_needed : options_.failures_down)) {
    return false;
  }
  opposing_ = 0;
  state_ = good ? WorkerState::up : WorkerState::down;
  return true;
}

}  // namespace lmb::scheduling
