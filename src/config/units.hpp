#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmb::config {

/// The regular expressions (ECMA 262) of the two functions below, for the schema.
inline constexpr std::string_view duration_pattern =
    "^(?=.)([0-9]+h)?([0-9]+m(?!s))?([0-9]+s)?([0-9]+ms)?$";
inline constexpr std::string_view size_pattern = "^[0-9]+(B|KiB|MiB|GiB)$";

/// Milliseconds of "250ms", "30s", "10m", "2h" or a falling combination such as "1m30s". Nothing
/// when the text is no duration. Beyond int64, the largest int64.
std::optional<std::int64_t> parse_duration(std::string_view text) noexcept;
/// Bytes of "512B", "16KiB", "64MiB", "1GiB". Nothing when the text is no size. Saturates likewise.
std::optional<std::int64_t> parse_size(std::string_view text) noexcept;

/// The shortest exact spelling in one unit: 90000 -> "90s", 240000 -> "4m", 0 -> "0s".
std::string format_duration(std::int64_t milliseconds);
/// The same for sizes: 65536 -> "64KiB", 1000 -> "1000B".
std::string format_size(std::int64_t bytes);

}  // namespace lmb::config
