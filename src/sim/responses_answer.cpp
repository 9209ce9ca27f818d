#include "responses_answer.hpp"

#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

ordered output_text(const std::string& text) {
  ordered out = {{"type", "output_text"}, {"text", text}};
  out["annotations"] = ordered::array();
  return out;
}

ordered reasoning_text(const std::string& text) {
  return {{"type", "reasoning_text"}, {"text", text}};
}

}  // namespace

std::string ResponsesAnswer::event(ordered data) {
  const auto name = data["type"].get<std::string>();
  data["sequence_number"] = sequence_++;
  return "event: " + name + "\ndata: " + data.dump() + "\n\n";
}

ordered ResponsesAnswer::response(const char* status) const {
  ordered out;
  out["id"] = text_.id;
  out["object"] = "response";
  out["created_at"] = text_.created;
  out["status"] = status;
  out["error"] = nullptr;
  out["incomplete_details"] = nullptr;
  out["model"] = text_.instance_id;
  out["output"] = ordered::array();
  const std::string& previous = text_.previous_response_id;
  out["previous_response_id"] = previous.empty() ? ordered() : ordered(previous);
  out["store"] = text_.stored;
  out["usage"] = nullptr;
  return out;
}

ordered ResponsesAnswer::reasoning_item(bool done) const {
  ordered out = {{"id", "rs_" + text_.id}, {"type", "reasoning"}};
  out["summary"] = ordered::array();
  out["content"] = ordered::array();
  if (done) out["content"].push_back(reasoning_text(text_.reasoning()));
  return out;
}

ordered ResponsesAnswer::message_item(bool done) const {
  ordered out = {{"id", "msg_" + text_.id}, {"type", "message"}};
  out["status"] = done ? "completed" : "in_progress";
  out["role"] = "assistant";
  out["content"] = ordered::array();
  if (done) out["content"].push_back(output_text(text_.message()));
  return out;
}

ordered ResponsesAnswer::finished(const AnswerStats& stats) const {
  ordered out = response(text_.length_reached ? "incomplete" : "completed");
  if (text_.length_reached) out["incomplete_details"] = {{"reason", "max_output_tokens"}};
  if (text_.reasoning_tokens > 0) out["output"].push_back(reasoning_item(true));
  if (!text_.tokens.empty()) out["output"].push_back(message_item(true));
  ordered usage;
  usage["input_tokens"] = text_.prompt_tokens;
  usage["input_tokens_details"] = {{"cached_tokens", stats.cached_tokens}};
  usage["output_tokens"] = text_.tokens.size();
  usage["output_tokens_details"] = {{"reasoning_tokens", text_.reasoning_tokens}};
  usage["total_tokens"] = text_.prompt_tokens + text_.tokens.size();
  out["usage"] = std::move(usage);
  return out;
}

std::string ResponsesAnswer::begin_item(bool reasoning) {
  const int index = reasoning ? 0 : message_index();
  const ordered item = reasoning ? reasoning_item(false) : message_item(false);
  const std::string id = item["id"].get<std::string>();
  std::string out =
      event({{"type", "response.output_item.added"}, {"output_index", index}, {"item", item}});
  out += event({{"type", "response.content_part.added"},
                {"item_id", id},
                {"output_index", index},
                {"content_index", 0},
                {"part", reasoning ? reasoning_text("") : output_text("")}});
  return out;
}

std::string ResponsesAnswer::end_item(bool reasoning) {
  const int index = reasoning ? 0 : message_index();
  const ordered item = reasoning ? reasoning_item(true) : message_item(true);
  const std::string id = item["id"].get<std::string>();
  const std::string text = reasoning ? text_.reasoning() : text_.message();
  std::string out =
      event({{"type", reasoning ? "response.reasoning_text.done" : "response.output_text.done"},
             {"item_id", id},
             {"output_index", index},
             {"content_index", 0},
             {"text", text}});
  out += event({{"type", "response.content_part.done"},
                {"item_id", id},
                {"output_index", index},
                {"content_index", 0},
                {"part", reasoning ? reasoning_text(text) : output_text(text)}});
  out += event({{"type", "response.output_item.done"}, {"output_index", index}, {"item", item}});
  return out;
}

std::string ResponsesAnswer::delta(const char* type, std::size_t index) {
  const bool reasoning = index < text_.reasoning_tokens;
  return event({{"type", type},
                {"item_id", (reasoning ? "rs_" : "msg_") + text_.id},
                {"output_index", reasoning ? 0 : message_index()},
                {"content_index", 0},
                {"delta", text_.tokens[index]}});
}

std::string ResponsesAnswer::begin() {
  std::string out = event({{"type", "response.created"}, {"response", response("in_progress")}});
  return out + event({{"type", "response.in_progress"}, {"response", response("in_progress")}});
}

std::string ResponsesAnswer::token(std::size_t index) {
  std::string out;
  if (index == 0) {
    out = begin();
    if (text_.reasoning_tokens > 0) out += begin_item(true);
  }
  if (index < text_.reasoning_tokens) return out + delta("response.reasoning_text.delta", index);
  if (index == text_.reasoning_tokens) {
    if (index > 0) out += end_item(true);
    out += begin_item(false);
  }
  return out + delta("response.output_text.delta", index);
}

std::string ResponsesAnswer::ended(const AnswerStats& stats) {
  const bool has_message = text_.reasoning_tokens < text_.tokens.size();
  const std::string out = text_.tokens.empty() ? begin() : end_item(!has_message);
  const char* type = text_.length_reached ? "response.incomplete" : "response.completed";
  return out + event({{"type", type}, {"response", finished(stats)}});
}

std::string ResponsesAnswer::whole(const AnswerStats& stats) const {
  return finished(stats).dump(2);
}

}  // namespace lmb::sim
