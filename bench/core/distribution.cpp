#include "lmb/bench/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::bench {
namespace {

double sum(const std::vector<Duration>& samples) {
  double total = 0;
  for (const Duration sample : samples) total += static_cast<double>(sample.count());
  return total;
}

Duration rounded(double nanoseconds) {
  return Duration(static_cast<Duration::rep>(std::llround(nanoseconds)));
}

}  // namespace

Distribution::Distribution(std::vector<Duration> samples) : sorted_(std::move(samples)) {
  std::sort(sorted_.begin(), sorted_.end());
}

Duration Distribution::mean() const noexcept {
  if (empty()) return {};
  return rounded(sum(sorted_) / static_cast<double>(size()));
}

Duration Distribution::standard_deviation() const noexcept {
  if (size() < 2) return {};
  const double middle = sum(sorted_) / static_cast<double>(size());
  double squares = 0;
  for (const Duration sample : sorted_) {
    const double off = static_cast<double>(sample.count()) - middle;
    squares += off * off;
  }
  return rounded(std::sqrt(squares / static_cast<double>(size() - 1)));
}

Duration Distribution::min() const noexcept {
  return empty() ? Duration{} : sorted_.front();
}
Duration Distribution::max() const noexcept {
  return empty() ? Duration{} : sorted_.back();
}

Duration Distribution::percentile(unsigned percent) const noexcept {
  LMB_ASSERT(percent >= 1 && percent <= 100);
  if (empty()) return {};
  const std::size_t rank = (size() * percent + 99) / 100;
  return sorted_[rank - 1];
}

bool Distribution::supports(unsigned percent) const noexcept {
  LMB_ASSERT(percent >= 1 && percent <= 100);
  return size() * (100 - percent) >= 100;
}

}  // namespace lmb::bench
