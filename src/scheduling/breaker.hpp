#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "lmb/base/clock.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// Keeps requests away from a worker that fails them, though its probes may be right.
///
/// closed:    requests go; `breaker_faults` faults in a row open it, a success begins the count
/// anew. open:      no requests, for `breaker_open`, doubled each time it opens again without a
/// success in
///            between, at most `breaker_open_max`; all that plus or minus a fifth by chance, so
///            that workers do not come back in step.
/// probation: after that, exactly one request. A success closes the breaker, a fault opens it, no
///            evidence lets the next one try. A trial that lasts longer than `probation_max` no
///            longer keeps others away: one more may try.
class Breaker {
 public:
  explicit Breaker(const HealthOptions& options) noexcept : options_(options) {}

  /// True when a request may be sent now.
  [[nodiscard]] bool admits(TimePoint now) const noexcept {
    return closed() || now >= waits_until();
  }
  [[nodiscard]] bool closed() const noexcept { return !open_until_; }
  /// When admits() becomes true without any event; meaningful while not closed.
  [[nodiscard]] TimePoint waits_until() const noexcept;
  /// No fault since the last success.
  [[nodiscard]] bool spotless() const noexcept { return closed() && faults_ == 0; }
  [[nodiscard]] bool on_trial() const noexcept { return trial_since_.has_value(); }

  /// A request was sent while the breaker was not closed, and it admitted it.
  void begin_trial(TimePoint now) noexcept { trial_since_ = now; }
  /// The trial ended without evidence.
  void end_trial() noexcept { trial_since_.reset(); }
  /// True when this closed the breaker.
  bool success() noexcept;
  void fault(TimePoint now, std::mt19937_64& random);
  /// Nothing failed for a while: faults that did not open it are forgotten, lest a worker that gets
  /// few requests stays suspect for ever.
  void forget(TimePoint now) noexcept {
    if (closed() && now - last_fault_ >= options_.breaker_open) {
      faults_ = 0;
    }
  }
  /// Opens at once.
  void open(TimePoint now, std::mt19937_64& random);

 private:
  HealthOptions options_;
  std::uint32_t faults_ = 0;    ///< In a row, while closed.
  std::uint32_t openings_ = 0;  ///< Since the last success.
  TimePoint last_fault_;
  std::optional<TimePoint> open_until_;
  std::optional<TimePoint> trial_since_;
};

}  // namespace lmb::scheduling
