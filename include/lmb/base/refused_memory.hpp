#pragma once

#include <cstdint>

namespace lmb {

/// From now on refused_allocations() counts. For main() and for tests of it; replaces the program's
/// new-handler. An allocation that is refused fails as it does without.
void watch_refused_memory() noexcept;

/// How many allocations of this thread were refused since it began. Tells of one that a library did
/// not look at: simdjson 3.0 uses its string buffer also when there was no memory for it.
std::uint64_t refused_allocations() noexcept;

}  // namespace lmb
