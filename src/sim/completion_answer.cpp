#include "completion_answer.hpp"

#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

std::string as_event(const ordered& data) {
  return "data: " + data.dump() + "\n\n";
}

/// All token events of an answer differ in the text alone: what stands before and after it.
std::pair<std::string, std::string> split_at_mark(const std::string& event) {
  const std::string quoted_mark = ordered("\x01").dump();
  const auto at = event.find(quoted_mark);
  return {event.substr(0, at), event.substr(at + quoted_mark.size())};
}

ordered usage(const AnswerText& text, bool details) {
  ordered out;
  out["prompt_tokens"] = text.prompt_tokens;
  out["completion_tokens"] = text.tokens.size();
  out["total_tokens"] = text.prompt_tokens + text.tokens.size();
  if (details) out["completion_tokens_details"]["reasoning_tokens"] = text.reasoning_tokens;
  return out;
}

const char* finish_reason(bool length_reached) {
  return length_reached ? "length" : "stop";
}

void add_native_facts(ordered& out, const AnswerText& text, const AnswerStats& stats) {
  const double rate = stats.generation_time > 0
                          ? static_cast<double>(text.tokens.size()) / stats.generation_time
                          : 0;
  out["stats"] = {{"tokens_per_second", rate},
                  {"time_to_first_token", stats.time_to_first_token},
                  {"generation_time", stats.generation_time},
                  {"stop_reason", text.length_reached ? "maxPredictedTokensReached" : "eosFound"}};
  const ModelFacts& model = text.model;
  out["model_info"] = {{"arch", model.architecture},
                       {"quant", model.quantization},
                       {"format", model.format},
                       {"context_length", model.context_length}};
  const bool mlx = model.format == "mlx";
  out["runtime"] = {{"name", mlx ? "mlx-llm-mac-arm64-apple-metal-advsimd"
                                 : "llama.cpp-mac-arm64-apple-metal-advsimd"},
                    {"version", "0.0.0-simulated"},
                    {"supported_formats", ordered::array({model.format})}};
}

}  // namespace

CompletionAnswer::CompletionAnswer(AnswerForm form, const AnswerText& text)
    : chat_(form == AnswerForm::chat || form == AnswerForm::v0_chat),
      native_(form == AnswerForm::v0_chat || form == AnswerForm::v0_completion),
      text_(text) {
  const auto token_event = [this](const char* field) {
    ordered choice = {{"index", 0}};
    if (chat_) {
      choice["delta"] = {{"role", "assistant"}, {field, "\x01"}};
    } else {
      choice["text"] = "\x01";
    }
    choice["logprobs"] = nullptr;
    choice["finish_reason"] = nullptr;
    return split_at_mark(event_with(ordered::array({choice})));
  };
  std::tie(head_, tail_) = token_event("content");
  reasoning_head_ = token_event("reasoning_content").first;
}

std::string CompletionAnswer::event_with(const ordered& choices) const {
  ordered event;
  event["id"] = text_.id;
  event["object"] = chat_ ? "chat.completion.chunk" : "text_completion";
  event["created"] = text_.created;
  event["model"] = text_.instance_id;
  event["system_fingerprint"] = text_.instance_id;
  event["choices"] = choices;
  return as_event(event);
}

std::string CompletionAnswer::token(std::size_t index) {
  const std::string& head = index < text_.reasoning_tokens ? reasoning_head_ : head_;
  return head + ordered(text_.tokens[index]).dump() + tail_;
}

std::string CompletionAnswer::finish_event() const {
  ordered choice = {{"index", 0}};
  if (chat_) {
    choice["delta"] = ordered::object();
  } else {
    choice["text"] = "";
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(text_.length_reached);
  return event_with(ordered::array({choice}));
}

std::string CompletionAnswer::usage_event() const {
  ordered event;
  event["id"] = text_.id;
  event["object"] = chat_ ? "chat.completion.chunk" : "text_completion";
  event["created"] = text_.created;
  event["model"] = text_.instance_id;
  event["system_fingerprint"] = text_.instance_id;
  event["choices"] = ordered::array();
  event["usage"] = usage(text_, false);
  return as_event(event);
}

std::string CompletionAnswer::ended(const AnswerStats& /*stats*/) {
  std::string out = finish_event();
  if (text_.usage_wanted) out += usage_event();
  return out + "data: [DONE]\n\n";
}

std::string CompletionAnswer::whole(const AnswerStats& stats) const {
  ordered choice = {{"index", 0}};
  if (chat_) {
    ordered message = {{"role", "assistant"}, {"content", text_.message()}};
    if (text_.reasoning_tokens > 0) message["reasoning_content"] = text_.reasoning();
    message["tool_calls"] = ordered::array();
    choice["message"] = std::move(message);
  } else {
    choice["text"] = text_.joined(0, text_.tokens.size());
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(text_.length_reached);
  ordered out;
  out["id"] = text_.id;
  out["object"] = chat_ ? "chat.completion" : "text_completion";
  out["created"] = text_.created;
  out["model"] = text_.instance_id;
  out["choices"] = ordered::array({choice});
  out["usage"] = usage(text_, chat_);
  if (native_) {
    add_native_facts(out, text_, stats);
  } else {
    out["stats"] = ordered::object();
    out["system_fingerprint"] = text_.instance_id;
  }
  return out.dump(2);
}

}  // namespace lmb::sim
