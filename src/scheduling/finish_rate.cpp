#include "finish_rate.hpp"

#include <algorithm>
#include <cmath>

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {
namespace {

constexpr double memory_seconds = 60;

}  // namespace

void FinishRate::begin(TimePoint now) noexcept {
  if (running_++ == 0) {
    counted_until_ = now;
  }
}

void FinishRate::finish(TimePoint now) noexcept {
  LMB_ASSERT(running_ > 0);
  sums_ = sums_at(now);
  sums_.finishes += 1;
  counted_until_ = std::max(counted_until_, now);
  --running_;
}

double FinishRate::per_second(TimePoint now) const noexcept {
  const Sums sums = sums_at(now);
  // Finishes within no time at all (a test, or the first answer): one second is the least that
  // Retry-After can tell apart.
  return sums.finishes / std::max(sums.busy_seconds, 1.0);
}

FinishRate::Sums FinishRate::sums_at(TimePoint now) const noexcept {
  if (running_ == 0 || now <= counted_until_) {
    return sums_;
  }
  const double seconds = std::chrono::duration<double>(now - counted_until_).count();
  const double kept = std::exp(-seconds / memory_seconds);
  return {sums_.finishes * kept, sums_.busy_seconds * kept + memory_seconds * (1 - kept)};
}

}  // namespace lmb::scheduling
