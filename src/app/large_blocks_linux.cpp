#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "large_blocks.hpp"

namespace lmb::app {

void give_large_blocks_back() noexcept {
#ifdef __GLIBC__
  // Left alone, glibc raises this bound to the size of each large block that is freed, and keeps
  // the next ones.
  constexpr int large = 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, large);
#endif
}

}  // namespace lmb::app
