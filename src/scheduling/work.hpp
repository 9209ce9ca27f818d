#pragma once

#include <cstdint>

namespace lmb::scheduling {

/// What a request asks of its worker.
struct Work {
  bool stream = false;
  std::uint64_t prompt_tokens = 0;  ///< 0 = not known.
  bool acts = false;                ///< See Demand::acts.
};

}  // namespace lmb::scheduling
