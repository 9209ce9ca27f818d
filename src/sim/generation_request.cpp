#include "generation_request.hpp"

#include "request_body.hpp"
#include "text.hpp"

namespace lmb::sim {
namespace {

using nlohmann::json;

/// What the OpenAI routes share.
std::optional<Problem> read_openai(const json& object, GenerationRequest& out) {
  if (auto problem = read_common(object, out)) return problem;
  if (const auto options = object.find("stream_options");
      options != object.end() && options->is_object()) {
    out.include_usage = flag(*options, "include_usage");
  }
  for (const char* name : {"max_tokens", "max_completion_tokens"}) {
    if (auto problem = read_limit(object, name, out)) return problem;
  }
  return std::nullopt;
}

}  // namespace

OrProblem<GenerationRequest> parse_chat(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto problem = read_openai(object, out)) return *std::move(problem);
  const auto messages = object.find("messages");
  if (messages == object.end()) return missing_field("messages");
  if (auto problem = read_messages(*messages, "messages", out)) return *std::move(problem);
  count_prompt(out);
  return out;
}

OrProblem<GenerationRequest> parse_completion(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto problem = read_openai(object, out)) return *std::move(problem);
  const auto prompt = object.find("prompt");
  if (prompt == object.end()) return missing_field("prompt");
  auto text = text_of(*prompt);
  if (!text) return bad_request("'prompt' field must be a string");
  out.prompt = *std::move(text);
  out.content_bytes = out.prompt.size();
  count_prompt(out);
  return out;
}

OrProblem<EmbeddingRequest> parse_embedding(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  GenerationRequest common;
  if (auto problem = read_common(object, common)) return *std::move(problem);
  const auto input = object.find("input");
  if (input == object.end()) return missing_field("input");
  EmbeddingRequest out;
  out.model = std::move(common.model);
  out.ttl = common.ttl;
  const auto strings = input->is_array() ? *input : json::array({*input});
  for (const auto& entry : strings) {
    if (!entry.is_string()) {
      return bad_request("'input' field must be a string or an array of strings");
    }
    out.inputs.push_back(entry.get<std::string>());
  }
  if (out.inputs.empty()) return bad_request("'input' field must not be empty");
  return out;
}

}  // namespace lmb::sim
