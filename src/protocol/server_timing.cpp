#include "lmb/protocol/server_timing.hpp"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace lmb::protocol {
namespace {

/// Takes what stands before the next `separator` off the front of `text`, without blanks around it.
std::string_view take_part(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  while (part.starts_with(' ') || part.starts_with('\t')) part.remove_prefix(1);
  while (part.ends_with(' ') || part.ends_with('\t')) part.remove_suffix(1);
  return part;
}

/// Milliseconds as a plain decimal: libc++ 16 has no from_chars for floating point.
std::optional<Duration> milliseconds(std::string_view text) {
  const std::string_view whole = take_part(text, '.');
  std::uint64_t ms = 0;
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), ms);
  if (read.ec != std::errc() || read.ptr != whole.data() + whole.size()) return std::nullopt;
  constexpr std::uint64_t ms_max = 1'000'000'000'000;  // 30 years: far from overflow.
  if (ms > ms_max) return std::nullopt;
  Duration out = std::chrono::milliseconds(ms);
  Duration digit = std::chrono::microseconds(100);
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out += digit * (c - '0');
    digit /= 10;
  }
  return out;
}

}  // namespace

std::optional<Duration> server_timing(std::string_view value, std::string_view name) {
  while (!value.empty()) {
    std::string_view metric = take_part(value, ',');
    if (take_part(metric, ';') != name) continue;
    while (!metric.empty()) {
      std::string_view parameter = take_part(metric, ';');
      if (take_part(parameter, '=') == "dur") return milliseconds(parameter);
    }
  }
  return std::nullopt;
}

}  // namespace lmb::protocol
