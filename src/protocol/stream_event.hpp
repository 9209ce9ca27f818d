#pragma once

#include <string>
#include <string_view>

#include "lmb/protocol/route.hpp"
#include "usage.hpp"

namespace lmb::protocol {

/// What one SSE event of a worker says.
struct StreamEvent {
  bool token = false;  ///< Non-empty content, reasoning or tool delta.
  bool error = false;
  bool finished = false;       ///< The dialect's last event.
  bool finish_reason = false;  ///< The answer is whole.
  UsageParts usage;
  std::string error_message;  ///< At most 512 bytes.
  std::string response_id;    ///< Of the answer, where it can be named later; empty if not told.
  std::string error_type;     ///< `type` beside the message; empty if none.
  /// Inside the event's data: the escaped text of a string that makes the event a token by being
  /// non-empty. Empty when there is no such string.
  std::string_view token_text;
};

/// Reads an event's `data`; `name` is the event field's value or empty. Data that is not a JSON
/// object says nothing, except under the name "error".
StreamEvent read_stream_event(Dialect dialect, std::string_view name, std::string_view data);

}  // namespace lmb::protocol
