#include "large_blocks.hpp"

namespace lmb::app {

/// macOS's allocator gives large blocks back by itself.
void give_large_blocks_back() noexcept {}

}  // namespace lmb::app
