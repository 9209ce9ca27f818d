#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lmb::peers {

/// Size of one SSE event of the stub worker, the closing blank line included. About what LM Studio
/// sends for a one-token delta.
inline constexpr std::size_t event_bytes = 194;

/// The event that ends a stream.
inline constexpr std::string_view done_event = "data: [DONE]\n\n";

/// Writes one event of `event_bytes` bytes to `out`; `stamp_ns` is a CLOCK_MONOTONIC time.
void write_event(char* out, std::uint64_t stamp_ns);

/// The stamp of one whole event (closing blank line included). Nothing if any byte differs from
/// what `write_event` writes: a proxy must not change an event.
[[nodiscard]] std::optional<std::uint64_t> read_stamp(std::string_view event);

}  // namespace lmb::peers
