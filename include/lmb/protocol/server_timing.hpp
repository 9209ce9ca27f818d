#pragma once

#include <optional>
#include <string_view>

#include "lmb/base/clock.hpp"

namespace lmb::protocol {

/// The `dur` of the metric `name` in a Server-Timing value, e.g. "read;dur=0.1, queue;dur=12.345"
/// (W3C Server Timing, section 3.2: milliseconds). Nothing if it is missing or no plain decimal
/// number.
std::optional<Duration> server_timing(std::string_view value, std::string_view name);

}  // namespace lmb::protocol
