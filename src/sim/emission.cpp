#include "emission.hpp"

#include <algorithm>
#include <cmath>

#include "duration.hpp"

namespace lmb::sim {
namespace {

constexpr double mean_delay = 0.9;  // In token times.

/// In [0, 1); std's distributions differ between libraries, this does not.
double unit(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

std::uint32_t draw_burst(std::mt19937_64& random) {
  const double u = unit(random);
  if (u < 0.7) return 1;
  return u < 0.9 ? 2 : 3;
}

}  // namespace

Emission::Burst Emission::first(TimePoint generated) {
  previous_ = generated;
  return {generated, 1};
}

std::optional<Emission::Burst> Emission::next(TimePoint generated, Duration token_time, bool last,
                                              std::mt19937_64& random) {
  if (burst_ == 0) burst_ = draw_burst(random);
  ++held_;
  if (held_ < burst_ && !last) return std::nullopt;
  const double delay = -std::log1p(-unit(random)) * mean_delay;
  previous_ = std::max(previous_, generated + scaled(token_time, delay));
  const Burst burst{previous_, held_};
  held_ = 0;
  burst_ = 0;
  return burst;
}

}  // namespace lmb::sim
