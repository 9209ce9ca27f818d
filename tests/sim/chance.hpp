#pragma once

#include <cstdint>
#include <random>

#include "lmb/base/clock.hpp"

namespace lmb::history {

/// Seeded randomness that is the same with every standard library: the distributions of <random>
/// are not.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  /// Evenly in [least, most].
  std::uint32_t between(std::uint32_t least, std::uint32_t most);
  /// Evenly in [least, most].
  Duration between(Duration least, Duration most);
  /// True with the probability given, 0..1.
  bool happens(double probability);
  /// Exponential with that mean, at most ten times it.
  Duration around(Duration mean);

 private:
  double unit();  ///< In [0, 1).

  std::mt19937_64 engine_;
};

}  // namespace lmb::history
