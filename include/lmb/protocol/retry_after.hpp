#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace lmb::protocol {

/// A longer wait than an hour is none that a client of an office's fleet should be told.
inline constexpr std::chrono::seconds retry_after_max = std::chrono::hours(1);

/// How long a Retry-After value (RFC 9110 section 10.2.3) asks to wait: a number of seconds, or an
/// IMF-fixdate as seen at `now`; a date that is over is 0. At most retry_after_max. Nothing for
/// anything else, the obsolete forms of dates included. Thread safety: safe.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now);

}  // namespace lmb::protocol
