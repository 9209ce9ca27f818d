#include "problem.hpp"

#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

constexpr std::string_view engine_error = "Engine protocol predict stream returned an error: ";

std::string written(const ordered& body) {
  return body.dump(-1, ' ', false, ordered::error_handler_t::replace);
}

bool is_request_fault(ProblemKind kind) {
  return kind == ProblemKind::bad_request || kind == ProblemKind::missing_field ||
         kind == ProblemKind::unknown_response;
}

bool names_a_model(ProblemKind kind) {
  return kind == ProblemKind::unknown_model || kind == ProblemKind::no_models_loaded ||
         kind == ProblemKind::load_refused;
}

Refusal openai_refusal(const Problem& problem) {
  if (!names_a_model(problem.kind)) return plain_refusal(problem.message);
  const bool unknown = problem.kind == ProblemKind::unknown_model;
  return model_refusal(problem.message, unknown ? "model_not_found" : "");
}

Refusal responses_refusal(const Problem& problem) {
  if (names_a_model(problem.kind)) return openai_refusal(problem);
  ordered error = {{"message", problem.message}};
  if (problem.kind == ProblemKind::context_full) {
    error["message"] = std::string(engine_error) + "Context size has been exceeded.";
  }
  const bool request_fault = is_request_fault(problem.kind);
  error["type"] = request_fault ? "invalid_request_error" : "internal_error";
  error["param"] = problem.param.empty() ? ordered() : ordered(problem.param);
  if (problem.kind == ProblemKind::unknown_response) {
    error["code"] = "previous_response_not_found";
  } else {
    error["code"] = request_fault ? ordered() : ordered("unknown");
  }
  const ordered body = {{"error", error}};
  return {request_fault ? 400U : 500U, written(body)};
}

Refusal anthropic_refusal(const Problem& problem) {
  const bool request_fault = is_request_fault(problem.kind);
  ordered body = {{"type", "error"}};
  body["error"]["type"] = request_fault ? "invalid_request_error" : "api_error";
  body["error"]["message"] = problem.message;
  return {request_fault ? 400U : 500U, written(body)};
}

Refusal native_refusal(const Problem& problem) {
  std::string type = "invalid_request";
  unsigned status = 400;
  std::string code;
  switch (problem.kind) {
    case ProblemKind::bad_request:
    case ProblemKind::prompt_too_long:
      break;
    case ProblemKind::missing_field:
      code = "missing_required_parameter";
      break;
    case ProblemKind::unknown_response:
      code = "previous_response_not_found";
      break;
    case ProblemKind::unknown_model:
      type = "model_not_found";
      status = 404;
      break;
    case ProblemKind::unknown_job:
      type = "job_not_found";
      status = 404;
      break;
    case ProblemKind::no_models_loaded:
    case ProblemKind::load_refused:
    case ProblemKind::context_full:
    case ProblemKind::instance_unloaded:
    case ProblemKind::engine:
      type = "internal_error";
      status = 500;
      break;
  }
  ordered error = {{"type", type}, {"message", problem.message}};
  if (!code.empty()) error["code"] = code;
  if (!problem.param.empty()) error["param"] = problem.param;
  const ordered body = {{"error", error}};
  return {status, written(body)};
}

}  // namespace

Refusal refusal_of(const Problem& problem, Dialect dialect) {
  if (problem.kind == ProblemKind::missing_field && dialect == Dialect::native) {
    Problem native = problem;
    native.message = "\"" + problem.param + "\" is required";
    return native_refusal(native);
  }
  switch (dialect) {
    case Dialect::openai:
      return openai_refusal(problem);
    case Dialect::responses:
      return responses_refusal(problem);
    case Dialect::anthropic:
      return anthropic_refusal(problem);
    case Dialect::native:
      return native_refusal(problem);
  }
  return openai_refusal(problem);
}

std::string error_event(std::string_view message, Dialect dialect, ErrorEventForm form) {
  const std::string text(message);
  ordered data;
  switch (dialect) {
    case Dialect::openai:
      if (form.bare) {
        data["error"] = text;
      } else {
        data["error"]["message"] = text;
        data["message"] = text;
      }
      break;
    case Dialect::responses:
      data = {{"type", "error"}, {"code", "unknown"}, {"message", text}, {"param", nullptr}};
      break;
    case Dialect::anthropic:
      data["type"] = "error";
      data["error"] = {{"type", "api_error"}, {"message", text}};
      break;
    case Dialect::native:
      data["type"] = "error";
      data["error"] = {{"type", "internal_error"}, {"message", text}};
      break;
  }
  const bool openai = dialect == Dialect::openai;
  std::string out = !openai || form.named ? "event: error\n" : "";
  out += "data: " + written(data) + "\n\n";
  if (openai && form.done_after) out += "data: [DONE]\n\n";
  return out;
}

Refusal plain_refusal(std::string_view message, unsigned status) {
  const ordered body = {{"error", std::string(message)}};
  return {status, written(body)};
}

Refusal model_refusal(std::string_view message, std::string_view code, unsigned status) {
  const ordered body = {{"error",
                         {{"message", std::string(message)},
                          {"type", "invalid_request_error"},
                          {"param", "model"},
                          {"code", code.empty() ? ordered() : ordered(std::string(code))}}}};
  return {status, written(body)};
}

Refusal token_required() {
  const ordered body = {{"error",
                         {{"message",
                           "An LM Studio API token is required to make requests to this server. "
                           "Please pass it as 'Authorization: Bearer $LM_API_TOKEN'."},
                          {"type", "invalid_request"},
                          {"code", "invalid_api_key"}}}};
  return {401, body.dump()};
}

Problem bad_request(std::string_view message) {
  return {ProblemKind::bad_request, std::string(message), {}};
}

Problem missing_field(std::string_view name) {
  return {ProblemKind::missing_field, "'" + std::string(name) + "' field is required",
          std::string(name)};
}

Problem unknown_model(std::string_view name, const std::vector<std::string>& known) {
  std::string list;
  for (const auto& model : known) list += (list.empty() ? "" : ", ") + model;
  return {ProblemKind::unknown_model,
          "Invalid model identifier \"" + std::string(name) +
              "\". Please specify a valid downloaded model (e.g., " + list + ").",
          "model"};
}

Problem unknown_response(std::string_view id) {
  return {ProblemKind::unknown_response,
          "Previous response with id '" + std::string(id) + "' not found.", "previous_response_id"};
}

Problem no_models_loaded() {
  return {
      ProblemKind::no_models_loaded,
      "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
      "model"};
}

Problem load_refused(std::string_view name, std::string_view reason) {
  return {ProblemKind::load_refused,
          "Failed to load model \"" + std::string(name) + "\". Error: " + std::string(reason),
          "model"};
}

Problem prompt_too_long(std::uint32_t prompt_tokens, std::uint64_t context_length,
                        bool engine_protocol) {
  const std::string prompt = std::to_string(prompt_tokens);
  const std::string context = std::to_string(context_length);
  Problem out;
  out.kind = ProblemKind::prompt_too_long;
  if (engine_protocol) {
    ordered inner = {{"code", 400}};
    inner["message"] = "request (" + prompt + " tokens) exceeds the available context size (" +
                       context + " tokens), try increasing it";
    inner["type"] = "exceed_context_size_error";
    inner["n_prompt_tokens"] = prompt_tokens;
    inner["n_ctx"] = context_length;
    out.message = std::string(engine_error) + inner.dump();
    return out;
  }
  out.message =
      "The number of tokens to keep from the initial prompt is greater than the context length "
      "(n_keep: " +
      prompt + ">= n_ctx: " + context +
      "). Try to load the model with a larger context length, or provide a shorter input.";
  return out;
}

Problem context_exceeded() {
  ordered inner = {{"code", 500}};
  inner["message"] = "Context size has been exceeded.";
  inner["type"] = "server_error";
  return {ProblemKind::context_full, std::string(engine_error) + inner.dump(), {}};
}

}  // namespace lmb::sim
