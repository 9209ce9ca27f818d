#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/protocol/head.hpp"

namespace lmb::protocol {

/// What a `traceparent` field says (W3C Trace Context, version 00): the trace that a request
/// belongs to, and the span that sent it. Plain values.
struct TraceParent {
  std::array<std::uint8_t, 16> trace_id{};  ///< Never all zero.
  std::array<std::uint8_t, 8> parent_id{};  ///< Never all zero.
  bool sampled = false;                     ///< The sender may have recorded the trace.
  bool operator==(const TraceParent&) const = default;
};

/// Reads a field's value without the white space around it (section 3.2 there): lower-case hex
/// digits only, no all-zero id, not version ff; version 00 has exactly 55 characters, a later one
/// may go on after them with '-'. Nothing for anything else. Flags but `sampled` are passed over,
/// as version 00 knows no others. Thread safety: safe; allocates nothing.
std::optional<TraceParent> parse_traceparent(std::string_view value) noexcept;

/// The same of a request's fields: nothing also when `traceparent` is not there exactly once, since
/// nobody could say which of several is meant.
std::optional<TraceParent> trace_parent_of(const HeaderFields& fields) noexcept;

/// The field's value in version 00: 55 characters.
std::string format_traceparent(const TraceParent& parent);

}  // namespace lmb::protocol
