#include "messages_answer.hpp"

#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

std::string event(const ordered& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}

ordered block(bool thinking, const std::string& text) {
  if (!thinking) return {{"type", "text"}, {"text", text}};
  return {{"type", "thinking"}, {"thinking", text}, {"signature", ""}};
}

}  // namespace

const char* MessagesAnswer::stop_reason() const {
  return text_.length_reached ? "max_tokens" : "end_turn";
}

int MessagesAnswer::block_of(bool thinking) const {
  return !thinking && text_.reasoning_tokens > 0 ? 1 : 0;
}

ordered MessagesAnswer::message() const {
  ordered out;
  out["id"] = text_.id;
  out["type"] = "message";
  out["role"] = "assistant";
  out["model"] = text_.instance_id;
  out["content"] = ordered::array();
  out["stop_reason"] = nullptr;
  out["stop_sequence"] = nullptr;
  out["usage"] = {{"input_tokens", text_.prompt_tokens}, {"output_tokens", 0}};
  return out;
}

std::string MessagesAnswer::begin() const {
  return event({{"type", "message_start"}, {"message", message()}});
}

std::string MessagesAnswer::begin_block(bool thinking) const {
  return event({{"type", "content_block_start"},
                {"index", block_of(thinking)},
                {"content_block", block(thinking, "")}});
}

std::string MessagesAnswer::end_block(bool thinking) const {
  return event({{"type", "content_block_stop"}, {"index", block_of(thinking)}});
}

std::string MessagesAnswer::token(std::size_t index) {
  const bool thinking = index < text_.reasoning_tokens;
  std::string out;
  if (index == 0) out += begin();
  if (index == text_.reasoning_tokens && index > 0) out += end_block(true);
  if (index == 0 || index == text_.reasoning_tokens) out += begin_block(thinking);
  const std::string kind = thinking ? "thinking" : "text";
  const ordered delta = {{"type", kind + "_delta"}, {kind, text_.tokens[index]}};
  return out +
         event({{"type", "content_block_delta"}, {"index", block_of(thinking)}, {"delta", delta}});
}

std::string MessagesAnswer::ended(const AnswerStats& /*stats*/) {
  const bool thinking = text_.reasoning_tokens == text_.tokens.size();
  std::string out = text_.tokens.empty() ? begin() : end_block(thinking);
  ordered end = {{"type", "message_delta"}};
  end["delta"] = {{"stop_reason", stop_reason()}, {"stop_sequence", nullptr}};
  end["usage"] = {{"output_tokens", text_.tokens.size()}};
  out += event(end);
  const ordered stop = {{"type", "message_stop"}};
  return out + event(stop);
}

std::string MessagesAnswer::whole(const AnswerStats& /*stats*/) const {
  ordered out = message();
  if (text_.reasoning_tokens > 0) out["content"].push_back(block(true, text_.reasoning()));
  out["content"].push_back(block(false, text_.message()));
  out["stop_reason"] = stop_reason();
  out["usage"]["output_tokens"] = text_.tokens.size();
  return out.dump(2);
}

}  // namespace lmb::sim
