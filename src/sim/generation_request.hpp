#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lmb/base/clock.hpp"
#include "problem.hpp"

namespace lmb::sim {

/// Something that /api/v1/chat lets the model call.
struct Integration {
  std::string label;   ///< The plugin's id, or the server's label.
  bool plugin = true;  ///< Else an ephemeral MCP server.
};

/// What a request for a generation asks for, in whatever dialect.
struct GenerationRequest {
  std::string model;
  bool stream = false;
  bool include_usage = false;
  std::uint32_t max_tokens = 0;  ///< 0 = unlimited.
  /// All message contents with their roles, as one text: what the prefix cache sees.
  std::string prompt;
  std::uint64_t content_bytes = 0;  ///< Of the prompt, without the roles.
  std::uint32_t prompt_tokens = 0;  ///< Estimated from content_bytes.
  std::optional<Duration> ttl;      ///< Of the instance that this request may load.

  // /v1/responses and /api/v1/chat only.
  std::string previous_response_id;
  bool store = true;
  // /api/v1/chat only.
  std::optional<std::uint64_t> context_length;
  std::optional<bool> reasoning;  ///< Unset: as the model's default is.
  std::vector<Integration> integrations;
};

struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> inputs;
  std::optional<Duration> ttl;
};

template <class T>
using OrProblem = std::variant<T, Problem>;

OrProblem<GenerationRequest> parse_chat(std::string_view body);
OrProblem<GenerationRequest> parse_completion(std::string_view body);
OrProblem<GenerationRequest> parse_responses(std::string_view body);    ///< POST /v1/responses
OrProblem<GenerationRequest> parse_messages(std::string_view body);     ///< POST /v1/messages
OrProblem<GenerationRequest> parse_native_chat(std::string_view body);  ///< POST /api/v1/chat
OrProblem<EmbeddingRequest> parse_embedding(std::string_view body);

}  // namespace lmb::sim
