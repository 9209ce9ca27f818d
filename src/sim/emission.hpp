#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "lmb/base/clock.hpp"

namespace lmb::sim {

/// When generated tokens leave the server: LM Studio gives them out in bursts, with gaps whose p90
/// is about 2.7 times and whose p99 is about 5 times the mean, the shortest next to nothing.
///
/// A burst of 1 to 3 tokens leaves when its last token is generated plus an exponential delay of
/// 0.9 token times on average; it never overtakes the one before. So the long-run rate is that of
/// the engine, and a token is late by a few token times at most.
class Emission {
 public:
  struct Burst {
    TimePoint at;
    std::uint32_t tokens = 0;
  };

  /// The answer's first token leaves at once, alone.
  Burst first(TimePoint generated);
  /// One more token; a burst if this one completes it. `last`: nothing more will come.
  std::optional<Burst> next(TimePoint generated, Duration token_time, bool last,
                            std::mt19937_64& random);

 private:
  TimePoint previous_;
  std::uint32_t held_ = 0;
  std::uint32_t burst_ = 0;  // Tokens of the burst being collected; 0 = not drawn yet.
};

}  // namespace lmb::sim
