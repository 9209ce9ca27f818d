#pragma once

#include <cstdint>

#include "lmb/base/clock.hpp"

namespace lmb::scheduling {

/// How many requests the fleet finishes per second while it works.
///
/// rate = F / B. F = finishes, B = seconds in which at least one request ran, both forgotten
/// exponentially with a time constant of 60 s *of work*: an idle hour says nothing about
/// speed, so it neither counts nor fades what was learned; a minute of work without a finish does.
/// 60 s is a few long answers: shorter would follow single requests, longer would miss a lost
/// worker.
class FinishRate {
 public:
  /// A request begins to run.
  void begin(TimePoint now) noexcept;
  /// A running request ends, however it ends: its slot is free.
  void finish(TimePoint now) noexcept;
  /// Finishes per second; 0 = nothing finished yet.
  [[nodiscard]] double per_second(TimePoint now) const noexcept;

 private:
  struct Sums {
    double finishes = 0;
    double busy_seconds = 0;
  };
  [[nodiscard]] Sums sums_at(TimePoint now) const noexcept;

  Sums sums_;
  TimePoint counted_until_;  ///< Meaningful while running_ > 0.
  std::uint64_t running_ = 0;
};

}  // namespace lmb::scheduling
