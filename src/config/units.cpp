#include "units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

namespace lmb::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

/// Falling, so that the first exact one is the shortest spelling.
constexpr std::array duration_units{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                                    Unit{"ms", 1}};
constexpr std::array size_units{Unit{"GiB", std::int64_t{1} << 30}, Unit{"MiB", 1 << 20},
                                Unit{"KiB", 1 << 10}, Unit{"B", 1}};

constexpr auto most = std::numeric_limits<std::int64_t>::max();

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) noexcept {
  return b > most - a ? most : a + b;
}

std::int64_t saturated_product(std::int64_t count, std::int64_t factor) noexcept {
  return count > most / factor ? most : count * factor;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Removes digits and a unit from the front of `text`; its unit must come after `units[first - 1]`.
std::optional<std::int64_t> take_part(std::string_view& text, std::span<const Unit> units,
                                      std::size_t& first) noexcept {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;  // from_chars takes a minus.
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec == std::errc::result_out_of_range) count = most;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  std::size_t letters = 0;
  while (letters < text.size() && !is_digit(text[letters])) ++letters;
  const auto name = text.substr(0, letters);
  for (auto i = first; i < units.size(); ++i) {
    if (units[i].name != name) continue;
    text.remove_prefix(letters);
    first = i + 1;
    return saturated_product(count, units[i].factor);
  }
  return std::nullopt;
}

std::string format(std::int64_t value, std::span<const Unit> units, std::string_view zero) {
  if (value == 0) return std::string(zero);
  for (const auto& unit : units) {
    if (value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) noexcept {
  std::int64_t total = 0;
  std::size_t first = 0;
  do {
    const auto part = take_part(text, duration_units, first);
    if (!part) return std::nullopt;
    total = saturated_sum(total, *part);
  } while (!text.empty());
  return total;
}

std::optional<std::int64_t> parse_size(std::string_view text) noexcept {
  std::size_t first = 0;
  const auto part = take_part(text, size_units, first);
  return text.empty() ? part : std::nullopt;
}

std::string format_duration(std::int64_t milliseconds) {
  return format(milliseconds, duration_units, "0s");
}

std::string format_size(std::int64_t bytes) {
  return format(bytes, size_units, "0B");
}

}  // namespace lmb::config
