#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "json_document.hpp"
#include "lmb/protocol/sse_scanner.hpp"

namespace lmb::protocol {

/// Token counts as found; a stream may tell them in two events.
struct UsageParts {
  std::optional<std::uint64_t> prompt;
  std::optional<std::uint64_t> generated;
  bool absurd = false;  ///< A count that is no count: negative, broken or beyond all contexts.
};

/// Reads a `usage` object (OpenAI chat and responses, Anthropic) or a `stats` object (LM Studio)
/// into `parts`. Other values, members and types are passed over. False for broken syntax.
bool read_usage(JsonValue& value, UsageParts& parts);

}  // namespace lmb::protocol
