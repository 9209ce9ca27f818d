#include "sim/chance.hpp"

#include <algorithm>
#include <cmath>

namespace lmb::history {

double Chance::unit() {
  return static_cast<double>(engine_() >> 11) * 0x1p-53;
}

std::uint32_t Chance::between(std::uint32_t least, std::uint32_t most) {
  return least + static_cast<std::uint32_t>(engine_() % (std::uint64_t{most} - least + 1));
}

Duration Chance::between(Duration least, Duration most) {
  const auto width = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + Duration(static_cast<Duration::rep>(engine_() % width));
}

bool Chance::happens(double probability) {
  return unit() < probability;
}

Duration Chance::around(Duration mean) {
  const double times = std::min(10.0, -std::log(1.0 - unit()));
  return Duration(static_cast<Duration::rep>(static_cast<double>(mean.count()) * times));
}

}  // namespace lmb::history
