#pragma once

namespace lmb::app {

/// Makes the allocator give blocks of 1 MiB and more back to the system when they are freed: bodies
/// of many megabytes come and go. Once, before threads start.
void give_large_blocks_back() noexcept;

}  // namespace lmb::app
