#pragma once

#include <cstddef>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::bench {

/// Raw samples and what may honestly be said of them.
class Distribution {
 public:
  Distribution() = default;
  explicit Distribution(std::vector<Duration> samples);

  [[nodiscard]] std::size_t size() const noexcept { return sorted_.size(); }
  [[nodiscard]] bool empty() const noexcept { return sorted_.empty(); }
  /// These are zero when empty.
  [[nodiscard]] Duration mean() const noexcept;
  [[nodiscard]] Duration standard_deviation()
      const noexcept;  ///< Of the sample (divided by n - 1).
  [[nodiscard]] Duration min() const noexcept;
  [[nodiscard]] Duration max() const noexcept;
  /// Nearest rank: the smallest sample that at least `percent` % (1 to 100) of all do not exceed.
  [[nodiscard]] Duration percentile(unsigned percent) const noexcept;
  /// At least one sample lies beyond the percentile: P95 needs 20 samples, P99 100. With fewer it
  /// is only another name for the maximum.
  [[nodiscard]] bool supports(unsigned percent) const noexcept;

 private:
  std::vector<Duration> sorted_;
};

}  // namespace lmb::bench
