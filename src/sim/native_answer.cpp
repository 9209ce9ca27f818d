#include "native_answer.hpp"

#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

constexpr const char* tool_name = "look_up";
constexpr const char* tool_output = "[{\"type\":\"text\",\"text\":\"nothing found\"}]";

std::string event(const ordered& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}

std::string bare_event(const char* type) {
  const ordered data = {{"type", type}};
  return event(data);
}

ordered provider_of(const Integration& integration) {
  if (integration.plugin) return {{"type", "plugin"}, {"plugin_id", integration.label}};
  return {{"type", "ephemeral_mcp"}, {"server_label", integration.label}};
}

}  // namespace

std::string NativeAnswer::started() const {
  return event({{"type", "chat.start"}, {"model_instance_id", text_.instance_id}});
}

std::string NativeAnswer::load_started() const {
  return event({{"type", "model_load.start"}, {"model_instance_id", text_.instance_id}});
}

std::string NativeAnswer::load_progress(double progress) const {
  return event({{"type", "model_load.progress"},
                {"model_instance_id", text_.instance_id},
                {"progress", progress}});
}

std::string NativeAnswer::load_ended(double seconds) const {
  return event({{"type", "model_load.end"},
                {"model_instance_id", text_.instance_id},
                {"load_time_seconds", seconds}});
}

std::string NativeAnswer::prompt_started() const {
  return bare_event("prompt_processing.start");
}

std::string NativeAnswer::prompt_progress(double progress) const {
  return event({{"type", "prompt_processing.progress"}, {"progress", progress}});
}

std::string NativeAnswer::prompt_ended() const {
  return bare_event("prompt_processing.end");
}

std::string NativeAnswer::tool_calls() const {
  std::string out;
  for (const auto& integration : text_.integrations) {
    const ordered provider = provider_of(integration);
    const ordered arguments = ordered::object();
    out += event({{"type", "tool_call.start"}, {"tool", tool_name}, {"provider_info", provider}});
    out += event({{"type", "tool_call.arguments"},
                  {"tool", tool_name},
                  {"arguments", arguments},
                  {"provider_info", provider}});
    out += event({{"type", "tool_call.success"},
                  {"tool", tool_name},
                  {"arguments", arguments},
                  {"output", tool_output},
                  {"provider_info", provider}});
  }
  return out;
}

std::string NativeAnswer::token(std::size_t index) {
  const bool reasoning = index < text_.reasoning_tokens;
  std::string out;
  if (index == 0 && reasoning) out += bare_event("reasoning.start");
  if (index == text_.reasoning_tokens) {
    if (index > 0) out += bare_event("reasoning.end");
    out += tool_calls() + bare_event("message.start");
  }
  const char* type = reasoning ? "reasoning.delta" : "message.delta";
  return out + event({{"type", type}, {"content", text_.tokens[index]}});
}

std::string NativeAnswer::ended(const AnswerStats& stats) {
  const bool has_message = text_.reasoning_tokens < text_.tokens.size();
  std::string out;
  if (!text_.tokens.empty()) out = bare_event(has_message ? "message.end" : "reasoning.end");
  return out + event({{"type", "chat.end"}, {"result", result(stats, true)}});
}

std::string NativeAnswer::ended_by_error(const AnswerStats& stats) const {
  return event({{"type", "chat.end"}, {"result", result(stats, false)}});
}

ordered NativeAnswer::result(const AnswerStats& stats, bool complete) const {
  ordered out;
  out["model_instance_id"] = text_.instance_id;
  out["output"] = ordered::array();
  if (complete) {
    if (text_.reasoning_tokens > 0) {
      out["output"].push_back({{"type", "reasoning"}, {"content", text_.reasoning()}});
    }
    for (const auto& integration : text_.integrations) {
      ordered call = {{"type", "tool_call"}, {"tool", tool_name}};
      call["arguments"] = ordered::object();
      call["output"] = tool_output;
      call["provider_info"] = provider_of(integration);
      out["output"].push_back(std::move(call));
    }
    if (text_.reasoning_tokens < text_.tokens.size()) {
      out["output"].push_back({{"type", "message"}, {"content", text_.message()}});
    }
  }
  const std::size_t tokens = complete ? text_.tokens.size() : 0;
  const bool measured = complete && stats.generation_time > 0;
  ordered told;
  told["input_tokens"] = text_.prompt_tokens;
  told["total_output_tokens"] = tokens;
  told["reasoning_output_tokens"] = complete ? text_.reasoning_tokens : 0;
  told["tokens_per_second"] = measured ? static_cast<double>(tokens) / stats.generation_time : 0.0;
  told["time_to_first_token_seconds"] = stats.time_to_first_token;
  if (stats.load_time) told["model_load_time_seconds"] = *stats.load_time;
  out["stats"] = std::move(told);
  if (complete && text_.stored) out["response_id"] = text_.id;
  return out;
}

std::string NativeAnswer::whole(const AnswerStats& stats) const {
  return result(stats, true).dump(2);
}

}  // namespace lmb::sim
