#include "selection.hpp"

#include <tuple>

namespace lmb::scheduling {

bool better(const Candidate& a, const Candidate& b) noexcept {
  const std::uint64_t load_a = (std::uint64_t{a.in_flight} + 1) * b.weight;
  const std::uint64_t load_b = (std::uint64_t{b.in_flight} + 1) * a.weight;
  return std::tie(a.suspect, load_a, a.last_grant, a.instance_in_flight, a.instance_last_grant) <
         std::tie(b.suspect, load_b, b.last_grant, b.instance_in_flight, b.instance_last_grant);
}

}  // namespace lmb::scheduling
