#include "request_body.hpp"

#include <algorithm>

namespace lmb::sim {
namespace {

using nlohmann::json;

constexpr std::int64_t tokens_max = 1 << 30;
constexpr double ttl_seconds_max = 1e9;  // Thirty years.

}  // namespace

OrProblem<json> parse_object(std::string_view body) {
  json parsed = json::parse(body, nullptr, false);
  if (parsed.is_discarded()) return bad_request("Request body is not valid JSON");
  if (!parsed.is_object()) return bad_request("Request body must be a JSON object");
  return parsed;
}

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

std::optional<Problem> read_common(const json& object, GenerationRequest& out) {
  const auto model = object.find("model");
  if (model == object.end() || model->is_null()) return missing_field("model");
  if (!model->is_string()) return bad_request("'model' field must be a string");
  out.model = model->get<std::string>();
  out.stream = flag(object, "stream");
  const auto ttl = object.find("ttl");
  if (ttl != object.end() && ttl->is_number()) {
    const double seconds = std::clamp(ttl->get<double>(), 0.0, ttl_seconds_max);
    out.ttl = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }
  return std::nullopt;
}

std::optional<Problem> read_limit(const json& object, const char* name, GenerationRequest& out) {
  const auto limit = object.find(name);
  if (limit == object.end() || limit->is_null()) return std::nullopt;
  if (!limit->is_number_integer()) {
    return bad_request("'" + std::string(name) + "' field must be an integer");
  }
  const auto value = limit->get<std::int64_t>();  // -1 is LM Studio's "unlimited".
  if (value > 0) out.max_tokens = static_cast<std::uint32_t>(std::min(value, tokens_max));
  return std::nullopt;
}

std::optional<Problem> read_messages(const json& messages, const char* name,
                                     GenerationRequest& out) {
  const std::string array = "'" + std::string(name) + "' ";
  if (!messages.is_array() || messages.empty()) {
    return bad_request(array + "field must be an array with at least one message");
  }
  for (const auto& message : messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string()) {
      return bad_request(array + "array must only contain objects with a 'role' field");
    }
    const auto content = text_of(message.value("content", json()));
    if (!content) {
      return bad_request(array + "array must only contain objects with a 'content' field");
    }
    add_message(message["role"].get_ref<const std::string&>(), *content, out);
  }
  return std::nullopt;
}

void add_message(std::string_view role, std::string_view text, GenerationRequest& out) {
  out.content_bytes += text.size();
  out.prompt.append(role).append("\n").append(text).append("\n");
}

void count_prompt(GenerationRequest& out) {
  out.prompt_tokens =
      static_cast<std::uint32_t>(std::max<std::uint64_t>((out.content_bytes + 3) / 4, 1));
}

}  // namespace lmb::sim
