#include "generation_request.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "text.hpp"

namespace lmb::sim {
namespace {

using nlohmann::json;
using ordered = nlohmann::ordered_json;

std::variant<json, Refusal> parse_object(std::string_view body) {
  json parsed = json::parse(body, nullptr, false);
  if (parsed.is_discarded()) return plain_refusal("Request body is not valid JSON");
  if (!parsed.is_object()) return plain_refusal("Request body must be a JSON object");
  return parsed;
}

Refusal missing_field(std::string_view name) {
  return plain_refusal("'" + std::string(name) + "' field is required");
}

/// A message's or prompt's text: a string, or the text parts of an array.
std::optional<std::string> text_of(const json& content) {
  if (content.is_string()) return content.get<std::string>();
  if (content.is_null()) return std::string();  // Assistant messages with tool calls only.
  if (!content.is_array()) return std::nullopt;
  std::string out;
  for (const auto& part : content) {
    if (part.is_string()) {
      out += part.get_ref<const std::string&>();
    } else if (part.is_object() && part.contains("text") && part["text"].is_string()) {
      out += part["text"].get_ref<const std::string&>();
    } else if (!part.is_object()) {
      return std::nullopt;
    }
  }
  return out;
}

bool flag(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::optional<Refusal> read_common(const json& object, GenerationRequest& out) {
  const auto model = object.find("model");
  if (model == object.end() || model->is_null()) return missing_field("model");
  if (!model->is_string()) return plain_refusal("'model' field must be a string");
  out.model = model->get<std::string>();
  out.stream = flag(object, "stream");
  if (const auto options = object.find("stream_options");
      options != object.end() && options->is_object()) {
    out.include_usage = flag(*options, "include_usage");
  }
  for (const char* name : {"max_tokens", "max_completion_tokens"}) {
    const auto limit = object.find(name);
    if (limit == object.end() || limit->is_null()) continue;
    if (!limit->is_number_integer()) {
      return plain_refusal("'" + std::string(name) + "' field must be an integer");
    }
    const auto value = limit->get<std::int64_t>();  // -1 is LM Studio's "unlimited".
    if (value > 0)
      out.max_tokens = static_cast<std::uint32_t>(std::min<std::int64_t>(value, 1 << 30));
  }
  return std::nullopt;
}

}  // namespace

std::variant<GenerationRequest, Refusal> parse_chat(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto refusal = read_common(object, out)) return *std::move(refusal);
  const auto messages = object.find("messages");
  if (messages == object.end()) return missing_field("messages");
  if (!messages->is_array() || messages->empty()) {
    return plain_refusal("'messages' field must be an array with at least one message");
  }
  std::size_t content_bytes = 0;
  for (const auto& message : *messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string()) {
      return plain_refusal("'messages' array must only contain objects with a 'role' field");
    }
    const auto content = text_of(message.value("content", json()));
    if (!content) {
      return plain_refusal("'messages' array must only contain objects with a 'content' field");
    }
    content_bytes += content->size();
    out.prompt.append(message["role"].get_ref<const std::string&>()).append("\n");
    out.prompt.append(*content).append("\n");
  }
  out.prompt_tokens = static_cast<std::uint32_t>(std::max<std::size_t>((content_bytes + 3) / 4, 1));
  return out;
}

std::variant<GenerationRequest, Refusal> parse_completion(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto refusal = read_common(object, out)) return *std::move(refusal);
  const auto prompt = object.find("prompt");
  if (prompt == object.end()) return missing_field("prompt");
  auto text = text_of(*prompt);
  if (!text) return plain_refusal("'prompt' field must be a string");
  out.prompt = *std::move(text);
  out.prompt_tokens = estimate_tokens(out.prompt);
  return out;
}

std::variant<EmbeddingRequest, Refusal> parse_embedding(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  const json& object = std::get<json>(parsed);
  GenerationRequest common;
  if (auto refusal = read_common(object, common)) return *std::move(refusal);
  const auto input = object.find("input");
  if (input == object.end()) return missing_field("input");
  EmbeddingRequest out;
  out.model = std::move(common.model);
  const auto strings = input->is_array() ? *input : json::array({*input});
  for (const auto& entry : strings) {
    if (!entry.is_string()) {
      return plain_refusal("'input' field must be a string or an array of strings");
    }
    out.inputs.push_back(entry.get<std::string>());
  }
  if (out.inputs.empty()) return plain_refusal("'input' field must not be empty");
  return out;
}

Refusal plain_refusal(std::string_view message, unsigned status) {
  const ordered body = {{"error", std::string(message)}};
  return {status, body.dump(-1, ' ', false, ordered::error_handler_t::replace)};
}

namespace {

Refusal object_refusal(const std::string& message, const ordered& code, const ordered& param) {
  const ordered body = {{"error",
                         {{"message", message},
                          {"type", "invalid_request_error"},
                          {"param", param},
                          {"code", code}}}};
  return {400, body.dump(-1, ' ', false, ordered::error_handler_t::replace)};
}

}  // namespace

Refusal unknown_model(std::string_view name, const std::vector<std::string>& known) {
  std::string list;
  for (const auto& model : known) list += (list.empty() ? "" : ", ") + model;
  return object_refusal("Invalid model identifier \"" + std::string(name) +
                            "\". Please specify a valid downloaded model (e.g., " + list + ").",
                        "model_not_found", "model");
}

Refusal no_models_loaded() {
  return object_refusal(
      "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
      nullptr, "model");
}

Refusal load_refused(std::string_view name) {
  return object_refusal("Failed to load model \"" + std::string(name) +
                            "\". Error: Model loading was stopped due to insufficient system "
                            "resources.",
                        nullptr, "model");
}

Refusal prompt_too_long(std::uint32_t prompt_tokens, std::uint64_t context_length) {
  return plain_refusal(
      "The number of tokens to keep from the initial prompt is greater than the context length "
      "(n_keep: " +
      std::to_string(prompt_tokens) + ">= n_ctx: " + std::to_string(context_length) +
      "). Try to load the model with a larger context length, or provide a shorter input.");
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

}  // namespace lmb::sim
