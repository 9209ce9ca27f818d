#include "answer.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

#include "lmb/base/clock.hpp"
#include "model_lists.hpp"
#include "text.hpp"

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

constexpr std::size_t embedding_dimensions = 768;

std::string as_event(const ordered& data) {
  return "data: " + data.dump() + "\n\n";
}

ordered usage(std::uint64_t prompt_tokens, std::uint64_t generated_tokens) {
  ordered out;
  out["prompt_tokens"] = prompt_tokens;
  out["completion_tokens"] = generated_tokens;
  out["total_tokens"] = prompt_tokens + generated_tokens;
  return out;
}

const char* finish_reason(bool length_reached) {
  return length_reached ? "length" : "stop";
}

/// The one choice of a stream's event: chat has a delta, completions a text.
ordered stream_choice(const AnswerForm& form, std::string_view text, const ordered& finish) {
  ordered choice;
  choice["index"] = 0;
  if (!form.chat) {
    choice["text"] = text;
  } else if (text.empty()) {
    choice["delta"] = ordered::object();
  } else {
    choice["delta"] = {{"role", "assistant"}, {"content", text}};
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish;
  return choice;
}

void add_native_facts(ordered& out, const ModelFacts& model, const AnswerStats& stats,
                      std::size_t tokens, bool length_reached) {
  const double rate =
      stats.generation_time > 0 ? static_cast<double>(tokens) / stats.generation_time : 0;
  out["stats"] = {{"tokens_per_second", rate},
                  {"time_to_first_token", stats.time_to_first_token},
                  {"generation_time", stats.generation_time},
                  {"stop_reason", length_reached ? "maxPredictedTokensReached" : "eosFound"}};
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

Answer::Answer(AnswerForm form, const ModelFacts& model, std::string id,
               std::uint32_t prompt_tokens)
    : form_(form),
      model_(model),
      id_(std::move(id)),
      created_(
          std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count()),
      prompt_tokens_(prompt_tokens) {
  // All token events of an answer differ in the text alone.
  const std::string mark = "\x01";
  const std::string text =
      as_event(stream_chunk(ordered::array({stream_choice(form_, mark, nullptr)})));
  const std::string quoted_mark = ordered(mark).dump();
  const auto at = text.find(quoted_mark);
  event_head_ = text.substr(0, at);
  event_tail_ = text.substr(at + quoted_mark.size());
}

/// What all events of a stream have in common.
nlohmann::ordered_json Answer::stream_chunk(const ordered& choices) const {
  ordered event;
  event["id"] = id_;
  event["object"] = form_.chat ? "chat.completion.chunk" : "text_completion";
  event["created"] = created_;
  event["model"] = model_.key;
  event["system_fingerprint"] = model_.key;
  event["choices"] = choices;
  return event;
}

std::string Answer::token_event(std::string_view token) const {
  return event_head_ + ordered(std::string(token)).dump() + event_tail_;
}

std::string Answer::finish_event(bool length_reached) const {
  const auto choice = stream_choice(form_, "", finish_reason(length_reached));
  return as_event(stream_chunk(ordered::array({choice})));
}

std::string Answer::usage_event(std::size_t generated_tokens) const {
  ordered event = stream_chunk(ordered::array());
  event["usage"] = usage(prompt_tokens_, generated_tokens);
  return as_event(event);
}

std::string Answer::whole(std::span<const std::string> tokens, bool length_reached,
                          const AnswerStats& stats) const {
  std::string text;
  for (const auto& token : tokens) text += token;
  ordered choice = {{"index", 0}};
  if (form_.chat) {
    choice["message"] = {
        {"role", "assistant"}, {"content", text}, {"tool_calls", ordered::array()}};
  } else {
    choice["text"] = text;
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(length_reached);
  ordered out;
  out["id"] = id_;
  out["object"] = form_.chat ? "chat.completion" : "text_completion";
  out["created"] = created_;
  out["model"] = model_.key;
  out["choices"] = ordered::array({choice});
  out["usage"] = usage(prompt_tokens_, tokens.size());
  if (form_.native) {
    add_native_facts(out, model_, stats, tokens.size(), length_reached);
  } else {
    out["stats"] = ordered::object();
    out["system_fingerprint"] = model_.key;
  }
  return out.dump(2);
}

std::string error_event(bool named) {
  const std::string data =
      R"(data: {"error":{"message":"Compute error."},"message":"Compute error."})";
  return (named ? "event: error\n" : "") + data + "\n\n";
}

std::string embedding_answer(const ModelFacts& model, const std::vector<std::string>& inputs) {
  ordered data = ordered::array();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ordered entry;
    entry["object"] = "embedding";
    entry["embedding"] = make_embedding(inputs[i], embedding_dimensions);
    entry["index"] = i;
    data.push_back(std::move(entry));
  }
  ordered out;
  out["object"] = "list";
  out["data"] = std::move(data);
  out["model"] = variant_of(model);
  out["usage"]["prompt_tokens"] = 0;  // As LM Studio reports it.
  out["usage"]["total_tokens"] = 0;
  return out.dump();
}

}  // namespace lmb::sim
