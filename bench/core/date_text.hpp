#pragma once

#include <chrono>
#include <string>

namespace lmb::bench {

/// RFC 3339 in UTC to the second, e.g. "2026-09-30T12:34:56Z".
std::string date_text(std::chrono::system_clock::time_point time);

}  // namespace lmb::bench
