#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::scheduling {

/// The known names that a wrong one was most likely meant to be, the likeliest first, at most
/// `most`: those that hold it or are held by it, then those that at most a third of its letters
/// separate from it. Case does not count. For the text of a 404.
///
/// Bounded: looks at the first 500 names and at the first 64 bytes of each; under a millisecond,
/// but not for a place where a lock is held. Pure.
std::vector<std::string> nearest_names(std::string_view wrong,
                                       const std::vector<std::string>& known, std::size_t most = 3);

}  // namespace lmb::scheduling
