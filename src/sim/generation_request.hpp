#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lmb::sim {

/// An answer that is an error, as LM Studio words it.
struct Refusal {
  unsigned status = 400;
  std::string body;
};

/// What a chat or text completion asks for.
struct GenerationRequest {
  std::string model;
  bool stream = false;
  bool include_usage = false;
  std::uint32_t max_tokens = 0;  ///< 0 = unlimited.
  /// All message contents with their roles, as one text: what the prefix cache sees.
  std::string prompt;
  std::uint32_t prompt_tokens = 0;  ///< Estimated from the contents alone.
};

struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> inputs;
};

std::variant<GenerationRequest, Refusal> parse_chat(std::string_view body);
std::variant<GenerationRequest, Refusal> parse_completion(std::string_view body);
std::variant<EmbeddingRequest, Refusal> parse_embedding(std::string_view body);

/// The error bodies of the study's section 4.
Refusal plain_refusal(std::string_view message, unsigned status = 400);
Refusal unknown_model(std::string_view name, const std::vector<std::string>& known);
Refusal no_models_loaded();
Refusal load_refused(std::string_view name);
Refusal prompt_too_long(std::uint32_t prompt_tokens, std::uint64_t context_length);
Refusal token_required();

}  // namespace lmb::sim
