#include "selection.hpp"

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {
namespace {

bool better(const Candidate& a, const Candidate& b) noexcept {
  const std::uint64_t load_a = (std::uint64_t{a.in_flight} + 1) * b.weight;
  const std::uint64_t load_b = (std::uint64_t{b.in_flight} + 1) * a.weight;
  return load_a != load_b ? load_a < load_b : a.last_grant < b.last_grant;
}

}  // namespace

WorkerId pick(std::span<const Candidate> candidates) noexcept {
  LMB_ASSERT(!candidates.empty());
  const Candidate* best = &candidates.front();
  for (const Candidate& candidate : candidates.subspan(1)) {
    if (better(candidate, *best)) {
      best = &candidate;
    }
  }
  return best->worker;
}

}  // namespace lmb::scheduling
