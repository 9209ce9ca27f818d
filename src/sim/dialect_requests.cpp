#include "generation_request.hpp"
#include "request_body.hpp"

// The requests of /v1/responses, /v1/messages and /api/v1/chat.

namespace lmb::sim {
namespace {

using nlohmann::json;

/// A string field; empty when it is absent or null.
OrProblem<std::string> read_string(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string();
  if (found->is_string()) return found->get<std::string>();
  return bad_request("'" + std::string(name) + "' field must be a string");
}

std::optional<Problem> read_previous(const json& object, GenerationRequest& out) {
  auto previous = read_string(object, "previous_response_id");
  if (auto* problem = std::get_if<Problem>(&previous)) return std::move(*problem);
  out.previous_response_id = std::get<std::string>(std::move(previous));
  const auto store = object.find("store");
  if (store != object.end() && store->is_boolean()) out.store = store->get<bool>();
  return std::nullopt;
}

/// The text of one entry of `input` of /v1/responses: a message, or a tool's output.
std::string item_text(const json& item) {
  for (const char* name : {"content", "output", "arguments"}) {
    if (item.contains(name)) return text_of(item[name]).value_or("");
  }
  return {};
}

std::optional<Problem> read_items(const json& input, GenerationRequest& out) {
  if (input.is_string()) {
    add_message("user", input.get_ref<const std::string&>(), out);
    return std::nullopt;
  }
  if (!input.is_array() || input.empty()) {
    return bad_request("'input' field must be a string or an array of items");
  }
  for (const auto& item : input) {
    if (!item.is_object()) return bad_request("'input' array must only contain objects");
    const auto role = item.find("role");
    const bool named = role != item.end() && role->is_string();
    add_message(named ? role->get<std::string>() : "user", item_text(item), out);
  }
  return std::nullopt;
}

std::optional<Problem> read_reasoning(const json& object, GenerationRequest& out) {
  const auto reasoning = object.find("reasoning");
  if (reasoning == object.end() || reasoning->is_null()) return std::nullopt;
  if (!reasoning->is_string()) return bad_request("'reasoning' field must be a string");
  out.reasoning = reasoning->get_ref<const std::string&>() != "off";
  return std::nullopt;
}

/// A plugin's id, or an object of one of two kinds; the label is empty when it is neither.
Integration integration_of(const json& entry) {
  if (entry.is_string()) return {entry.get<std::string>(), true};
  if (!entry.is_object()) return {};
  const bool plugin = entry.value("type", json()) != json("ephemeral_mcp");
  const auto label = entry.find(plugin ? "id" : "server_label");
  if (label == entry.end() || !label->is_string()) return {};
  return {label->get<std::string>(), plugin};
}

std::optional<Problem> read_integrations(const json& object, GenerationRequest& out) {
  const auto integrations = object.find("integrations");
  if (integrations == object.end() || integrations->is_null()) return std::nullopt;
  if (!integrations->is_array()) return bad_request("'integrations' field must be an array");
  for (const auto& integration : *integrations) {
    Integration read = integration_of(integration);
    if (read.label.empty()) return bad_request("'integrations' holds an entry without id or label");
    out.integrations.push_back(std::move(read));
  }
  return std::nullopt;
}

/// `input` of /api/v1/chat: a string, or an array of texts and images.
std::optional<Problem> read_native_input(const json& input, GenerationRequest& out) {
  if (input.is_string()) {
    add_message("user", input.get_ref<const std::string&>(), out);
    return std::nullopt;
  }
  if (!input.is_array() || input.empty()) {
    return bad_request("'input' field must be a string or an array");
  }
  std::string text;
  for (const auto& part : input) {
    if (!part.is_object()) return bad_request("'input' array must only contain objects");
    const auto content = part.find("content");
    if (content != part.end() && content->is_string()) text += content->get<std::string>();
  }
  add_message("user", text, out);
  return std::nullopt;
}

}  // namespace

OrProblem<GenerationRequest> parse_responses(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto problem = read_common(object, out)) return *std::move(problem);
  if (auto problem = read_limit(object, "max_output_tokens", out)) return *std::move(problem);
  if (auto problem = read_previous(object, out)) return *std::move(problem);
  const auto instructions = read_string(object, "instructions");
  if (const auto* problem = std::get_if<Problem>(&instructions)) return *problem;
  const auto& system = std::get<std::string>(instructions);
  if (!system.empty()) add_message("system", system, out);
  const auto input = object.find("input");
  if (input == object.end()) return missing_field("input");
  if (auto problem = read_items(*input, out)) return *std::move(problem);
  count_prompt(out);
  return out;
}

OrProblem<GenerationRequest> parse_messages(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto problem = read_common(object, out)) return *std::move(problem);
  if (auto problem = read_limit(object, "max_tokens", out)) return *std::move(problem);
  const auto system = object.find("system");
  if (system != object.end()) {
    const auto text = text_of(*system);
    if (!text) return bad_request("'system' field must be a string or an array of texts");
    add_message("system", *text, out);
  }
  const auto messages = object.find("messages");
  if (messages == object.end()) return missing_field("messages");
  if (auto problem = read_messages(*messages, "messages", out)) return *std::move(problem);
  count_prompt(out);
  return out;
}

OrProblem<GenerationRequest> parse_native_chat(std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  GenerationRequest out;
  if (auto problem = read_common(object, out)) return *std::move(problem);
  if (auto problem = read_limit(object, "max_output_tokens", out)) return *std::move(problem);
  if (auto problem = read_previous(object, out)) return *std::move(problem);
  if (auto problem = read_reasoning(object, out)) return *std::move(problem);
  if (auto problem = read_integrations(object, out)) return *std::move(problem);
  const auto context = object.find("context_length");
  if (context != object.end() && context->is_number_unsigned()) {
    out.context_length = context->get<std::uint64_t>();
  }
  const auto system = read_string(object, "system_prompt");
  if (const auto* problem = std::get_if<Problem>(&system)) return *problem;
  if (const auto& text = std::get<std::string>(system); !text.empty()) {
    add_message("system", text, out);
  }
  const auto input = object.find("input");
  if (input == object.end()) return missing_field("input");
  if (auto problem = read_native_input(*input, out)) return *std::move(problem);
  count_prompt(out);
  return out;
}

}  // namespace lmb::sim
