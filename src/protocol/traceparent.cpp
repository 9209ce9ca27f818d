#include "lmb/protocol/traceparent.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "field_list.hpp"

namespace lmb::protocol {
namespace {

/// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": every part has its place.
constexpr std::size_t trace_at = 3;
constexpr std::size_t parent_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t whole = 55;

constexpr std::uint8_t sampled_bit = 1;
constexpr std::uint8_t version_forbidden = 0xff;

/// Upper-case digits are not allowed (section 3.2.2): 16 for everything but the 16 digits.
constexpr unsigned digit_value(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10U : 16U;
}

/// Two digits of `text` for each byte of `out`. False: not all are digits.
bool read_hex(std::string_view text, std::span<std::uint8_t> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = digit_value(text[2 * i]);
    const unsigned low = digit_value(text[2 * i + 1]);
    if (high > 15 || low > 15) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

bool is_zero(std::span<const std::uint8_t> id) noexcept {
  return std::all_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte == 0; });
}

void append_hex(std::span<const std::uint8_t> bytes, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const auto byte : bytes) {
    out += digits[byte / 16U];
    out += digits[byte % 16U];
  }
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view value) noexcept {
  if (value.size() < whole) return std::nullopt;
  for (const std::size_t dash : {trace_at, parent_at, flags_at}) {
    if (value[dash - 1] != '-') return std::nullopt;
  }
  TraceParent parent;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  const bool digits = read_hex(value, version) &&
                      read_hex(value.substr(trace_at), parent.trace_id) &&
                      read_hex(value.substr(parent_at), parent.parent_id) &&
                      read_hex(value.substr(flags_at), flags);
  if (!digits || is_zero(parent.trace_id) || is_zero(parent.parent_id)) return std::nullopt;
  if (version[0] == version_forbidden) return std::nullopt;
  const bool more = value.size() > whole;
  // What a later version adds is not known, only that a dash stands before it (section 4.3).
  if (more && (version[0] == 0 || value[whole] != '-')) return std::nullopt;
  parent.sampled = (flags[0] & sampled_bit) != 0;
  return parent;
}

std::optional<TraceParent> trace_parent_of(const HeaderFields& fields) noexcept {
  const HeaderField* only = nullptr;
  for (const HeaderField& each : fields.all()) {
    if (each.id != boost::beast::http::field::unknown) continue;
    if (!same_field_name(each.name, "traceparent")) continue;
    if (only != nullptr) return std::nullopt;
    only = &each;
  }
  return only == nullptr ? std::nullopt : parse_traceparent(only->value);
}

std::string format_traceparent(const TraceParent& parent) {
  std::string text;
  text.reserve(whole);
  text += "00-";
  append_hex(parent.trace_id, text);
  text += '-';
  append_hex(parent.parent_id, text);
  text += parent.sampled ? "-01" : "-00";
  return text;
}

}  // namespace lmb::protocol
