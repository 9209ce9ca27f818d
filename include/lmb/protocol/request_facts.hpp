#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/base/error.hpp"
#include "lmb/protocol/route.hpp"

namespace lmb::protocol {

/// What the balancer needs to know of a request body. Never holds prompt text.
struct RequestFacts {
  std::string model;  ///< Unescaped; 1..model_bytes_max bytes.
  /// Where the value of `model` stands in the body: the first byte of its JSON text, quotes
  /// included, and how many bytes it has.
  std::size_t model_begin = 0;
  std::size_t model_size = 0;
  bool stream = false;         ///< `"stream": true`; never for embeddings.
  bool include_usage = false;  ///< `stream_options.include_usage`.
  /// Size of messages, prompt, input, system, instructions, system_prompt and tools as JSON text:
  /// estimates tokens.
  std::uint64_t prompt_bytes = 0;
  /// The smallest of max_tokens, max_completion_tokens and max_output_tokens; a negative one is no
  /// limit.
  std::optional<std::int64_t> max_tokens;
  /// The worker may do more than compute: `integrations`, or a tool of type `mcp` (LM Studio's
  /// /api/v1/chat and /v1/responses). Done twice, it may do harm.
  bool acts = false;
  /// `previous_response_id` of /v1/responses and /api/v1/chat, unescaped; empty = none.
  std::string previous_response;
};

inline constexpr std::size_t model_bytes_max = 512;
inline constexpr std::size_t response_id_bytes_max = 512;

/// Bytes of readable memory that must follow `body` (simdjson's padding).
inline constexpr std::size_t json_padding = 64;

/// Reads the facts out of a JSON request body with simdjson's on-demand parser.
///
/// `body.data()[0 .. body.size() + json_padding)` must be readable; the padding's content does not
/// matter. Two passes without recursion. Measured: 0.4 us at 1 KB, 0.1 ms at 1 MiB of prose, 0.4 ms
/// of escaped code. Checked: UTF-8, closed strings, matching brackets, depth, the syntax between
/// top-level members, the values read. Not checked, and left to the worker: scalars that are
/// skipped (`1.2.3`, `nul`, bad escapes) and commas and colons inside nested arrays and objects.
/// Errors: bad_json (empty, truncated, not JSON, not an object, invalid UTF-8, nested deeper than
/// 1024, bytes after the object, `stream` neither bool nor null or given twice), bad_model
/// (missing, not a string, empty, too long, given twice: two readers could see two models, however
/// the key is escaped), internal (no memory). Detail: what, where, how to mend; it quotes key names
/// only. A `previous_response_id` that is too long or given twice is bad_json. Thread safety: safe;
/// each thread keeps its own parser.
Result<RequestFacts> inspect_request(std::string_view body, Dialect dialect);

}  // namespace lmb::protocol
