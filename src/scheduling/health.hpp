#pragma once

#include <cstdint>

#include "lmb/scheduling/effects.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// Whether one worker is well, from consecutive observations that oppose its present state.
///
/// starting: the first success brings it up, `failures_down` failures in a row take it down.
/// up:       `failures_down` failures in a row take it down; a success begins the count anew.
/// down:     `successes_up` successes in a row bring it up; a failure begins the count anew.
class Health {
 public:
  explicit Health(const HealthOptions& options) noexcept : options_(options) {}

  /// starting, up or down.
  [[nodiscard]] WorkerState state() const noexcept { return state_; }
  /// The last observation agreed with the state.
  [[nodiscard]] bool settled() const noexcept { return opposing_ == 0; }
  /// Returns true when the state changed.
  bool observe(bool good) noexcept;

 private:
  HealthOptions options_;
  WorkerState state_ = WorkerState::starting;
  std::uint32_t opposing_ = 0;
};

}  // namespace lmb::scheduling
