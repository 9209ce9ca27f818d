#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::sim {

/// Whose words an error is put in.
enum class Dialect : std::uint8_t {
  openai,     ///< /v1/chat/completions, /v1/completions, /v1/embeddings, /api/v0/*
  responses,  ///< /v1/responses
  anthropic,  ///< /v1/messages
  native,     ///< /api/v1/*
};

enum class ProblemKind : std::uint8_t {
  bad_request,    ///< The body is not what the route wants.
  missing_field,  ///< `param` is missing.
  unknown_model,
  unknown_job,        ///< Of a download.
  unknown_response,   ///< previous_response_id.
  no_models_loaded,   ///< Just-in-time loading is off.
  load_refused,       ///< Memory guard, or the load failed.
  prompt_too_long,    ///< For the instance's context.
  context_full,       ///< The engine ran out of context or of its shared pool.
  instance_unloaded,  ///< While the request waited or ran.
  engine,             ///< The engine failed.
};

/// Why a request is not answered.
struct Problem {
  ProblemKind kind = ProblemKind::bad_request;
  std::string message;
  std::string param;  ///< The field at fault, else empty.
};

/// An answer that is an error, as LM Studio words it.
struct Refusal {
  unsigned status = 400;
  std::string body;
};

/// The answer of a route of this dialect (study, section 4; docs/simulator.md tells what of it is
/// assumption).
Refusal refusal_of(const Problem& problem, Dialect dialect);

/// How errors inside a stream look, where versions differ or the truth is not known.
struct ErrorEventForm {
  bool named = false;       ///< OpenAI dialects: an `event: error` line before the data.
  bool bare = false;        ///< OpenAI dialects before 0.3.18: `error` is a string.
  bool done_after = false;  ///< OpenAI dialects: `[DONE]` follows.
};
std::string error_event(std::string_view message, Dialect dialect, ErrorEventForm form);

/// {"error": message}, the form of most of LM Studio's errors.
Refusal plain_refusal(std::string_view message, unsigned status = 400);
/// {"error": {message, type "invalid_request_error", param "model", code}}; an empty code is null.
Refusal model_refusal(std::string_view message, std::string_view code, unsigned status = 400);
Refusal token_required();

Problem bad_request(std::string_view message);
Problem missing_field(std::string_view name);
Problem unknown_model(std::string_view name, const std::vector<std::string>& known);
Problem unknown_response(std::string_view id);
Problem no_models_loaded();
/// `reason`: what follows "Error: ".
Problem load_refused(std::string_view name, std::string_view reason);
inline constexpr std::string_view insufficient_resources =
    "Model loading was stopped due to insufficient system resources.";
inline constexpr std::string_view loading_failed = "Error loading model.";
/// `engine_protocol`: as GGUF engines from 0.4.17 on say it.
Problem prompt_too_long(std::uint32_t prompt_tokens, std::uint64_t context_length,
                        bool engine_protocol);

/// As engines from 0.4.17 on say it; /v1/responses words it in its own way.
Problem context_exceeded();

}  // namespace lmb::sim
