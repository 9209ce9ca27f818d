#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "lmb/base/clock.hpp"

namespace lmb::scheduling {

/// A distribution of durations in steps of a quarter octave, from 1 us to 18 h. Old values fade:
/// after a thousand, all weights are halved.
class DurationSpread {
 public:
  void add(Duration value) noexcept;
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  /// Upper edge of the step that holds the quantile; `quantile` in (0, 1]. Needs one value.
  [[nodiscard]] Duration quantile(double quantile) const noexcept;

 private:
  static constexpr std::size_t steps = 144;
  std::array<std::uint32_t, steps> weights_{};
  std::uint32_t count_ = 0;
};

/// How fast a worker is, learned from its own answers: time to first token in relation to the
/// prompt, and time between tokens. Nothing is told before 20 answers were seen.
class Pace {
 public:
  void first_token(std::uint64_t prompt_tokens, Duration took) noexcept;
  /// An answer that came in one piece: its prompt took no longer than that.
  void whole_answer(std::uint64_t prompt_tokens, Duration took) noexcept;
  void between_tokens(Duration mean_gap) noexcept { gaps_.add(mean_gap); }

  /// How long a prompt takes until its first token in nine of ten cases; where no stream has told
  /// that, until the end of the answer.
  [[nodiscard]] std::optional<Duration> prefill(std::uint64_t prompt_tokens) const noexcept;
  /// The same, in 99 of 100 cases.
  [[nodiscard]] std::optional<Duration> longest_prefill(std::uint64_t prompt_tokens) const noexcept;
  [[nodiscard]] std::optional<Duration> longest_gap() const noexcept;

 private:
  DurationSpread prefills_;  ///< For a prompt of one thousand tokens more than `overhead`.
  DurationSpread wholes_;    ///< The same of answers in one piece, until their end.
  DurationSpread gaps_;
};

}  // namespace lmb::scheduling
