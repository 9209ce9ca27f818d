#pragma once

#include <cstdint>

namespace lmb::scheduling {

/// What a request asks of its worker.
struct Work {
  bool stream = false;
  std::uint64_t prompt_tokens = 0;  ///< 0 = not known.
};

}  // namespace lmb::scheduling
