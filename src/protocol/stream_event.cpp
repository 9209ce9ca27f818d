#include "stream_event.hpp"

#include <utility>

namespace lmb::protocol {
namespace {

constexpr std::size_t error_message_bytes_max = 512;

/// The first 512 bytes of `text` without a broken UTF-8 sequence at the end.
std::string_view shortened(std::string_view text) noexcept {
  if (text.size() <= error_message_bytes_max) return text;
  std::size_t size = error_message_bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

bool is_null_or_false(JsonValue& value) noexcept {
  return json_kind(value) == 'n' || json_kind(value) == 'f';
}

/// Collects what matters of one event, whatever the order of its members.
class EventReader {
 public:
  bool member(std::string_view key, JsonValue& value) {
    if (key == "type") {
      type_ = raw_text(value);
      return true;
    }
    if (key == "choices") return each_element(value, [this](JsonValue& v) { return choice(v); });
    if (key == "delta") return read_delta(value);
    if (key == "content") {
      content_ = raw_text(value);
      return true;
    }
    if (key == "usage") return read_usage(value, event_.usage);
    if (key == "error") return read_error(value);
    if (key == "message") return read_message(value);
    if (key == "response") return read_response(value);
    return key != "result" || read_result(value);
  }

  /// Draws the conclusions. `text`: what was read; token_text is moved from there into `data`.
  StreamEvent finish(Dialect dialect, std::string_view name, std::string_view text,
                     std::string_view data) && {
    const std::string_view type = type_.empty() ? name : type_;
    switch (dialect) {
      case Dialect::openai_chat:
      case Dialect::openai_completions:
      case Dialect::openai_embeddings:
      case Dialect::none:
        break;
      case Dialect::openai_responses:
        finish_responses(type);
        break;
      case Dialect::anthropic:
        finish_anthropic(type);
        break;
      case Dialect::lmstudio_chat:
        finish_lmstudio(type);
        break;
    }
    if (name == "error" || (dialect_has_types(dialect) && type == "error")) event_.error = true;
    if (event_.error && event_.error_message.empty()) event_.error_message = std::move(message_);
    if (event_.token && !token_text_.empty()) {
      event_.token_text = data.substr(static_cast<std::size_t>(token_text_.data() - text.data()),
                                      token_text_.size());
    }
    return std::move(event_);
  }

 private:
  static bool dialect_has_types(Dialect dialect) noexcept {
    return dialect == Dialect::openai_responses || dialect == Dialect::anthropic ||
           dialect == Dialect::lmstudio_chat;
  }

  void take_text(JsonValue& value) {
    const std::string_view text = raw_text(value);
    if (text.empty()) return;
    delta_token_ = true;
    token_text_ = text;
  }

  bool choice(JsonValue& value) {
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      if (key == "delta") {
        const bool read = read_delta(part);
        event_.token = event_.token || delta_token_;
        return read;
      }
      if (key == "text") {
        take_text(part);
        event_.token = event_.token || delta_token_;
      } else if (key == "finish_reason" && !raw_text(part).empty()) {
        event_.finish_reason = true;
      }
      return true;
    });
  }

  // The delta of a chat choice or of Anthropic's events; a string in the responses dialect.
  bool read_delta(JsonValue& value) {
    delta_string_ = raw_text(value);
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      if (key == "tool_calls")
        return each_element(part, [this](JsonValue& v) { return tool_call(v); });
      if (key == "function_call") return tool_call(part);
      if (key == "content" || key == "reasoning_content" || key == "reasoning" ||
          key == "refusal" || key == "text" || key == "thinking" || key == "partial_json") {
        take_text(part);
      } else if (key == "stop_reason" && !raw_text(part).empty()) {
        event_.finish_reason = true;
      }
      return true;
    });
  }

  bool tool_call(JsonValue& value) {
    if (json_kind(value) != '{') return true;
    delta_token_ = true;
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      if (key != "function") return true;
      return each_member(part, [this](std::string_view name, JsonValue& text) {
        if (name == "arguments") take_text(text);
        return true;
      });
    });
  }

  bool read_error(JsonValue& value) {
    if (is_null_or_false(value) || value.raw_json_token().substr(0, 2) == "\"\"") return true;
    event_.error = true;
    if (json_kind(value) == '"') return read_error_message(value);
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      if (key == "type") return assign_text(part, event_.error_type);
      return key != "message" || read_error_message(part);
    });
  }

  bool read_error_message(JsonValue& value) {
    std::string_view text;
    if (json_kind(value) != '"') return true;
    if (!read_text(value, text)) return false;
    event_.error_message = shortened(text);
    return true;
  }

  // A text in error events, the whole message in Anthropic's message_start.
  bool read_message(JsonValue& value) {
    if (json_kind(value) == '"') {
      std::string_view text;
      const bool read = read_text(value, text);
      message_ = shortened(text);
      return read;
    }
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      return key != "usage" || read_usage(part, started_usage_);
    });
  }

  bool read_response(JsonValue& value) {
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      if (key == "usage") return read_usage(part, event_.usage);
      if (key == "id") return assign_text(part, event_.response_id);
      return key != "error" || read_error(part);
    });
  }

  bool read_result(JsonValue& value) {
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      if (key == "response_id") return assign_text(part, event_.response_id);
      return key != "stats" || read_usage(part, event_.usage);
    });
  }

  void finish_responses(std::string_view type) {
    event_.token =
        type.starts_with("response.") && type.ends_with(".delta") && !delta_string_.empty();
    token_text_ = delta_string_;
    event_.finished =
        type == "response.completed" || type == "response.failed" || type == "response.incomplete";
    event_.finish_reason = type == "response.completed" || type == "response.incomplete";
    if (type == "response.failed") event_.error = true;
  }

  void finish_anthropic(std::string_view type) {
    event_.token = type == "content_block_delta" && delta_token_;
    event_.finish_reason = event_.finish_reason && type == "message_delta";
    event_.finished = type == "message_stop";
    // Its count of generated tokens is only that of the moment.
    if (type == "message_start") event_.usage.prompt = started_usage_.prompt;
    event_.usage.absurd = event_.usage.absurd || started_usage_.absurd;
  }

  void finish_lmstudio(std::string_view type) {
    const bool text = (type == "message.delta" || type == "reasoning.delta") && !content_.empty();
    event_.token = text || type.starts_with("tool_call.");
    token_text_ = text ? content_ : std::string_view{};
    event_.finished = type == "chat.end";
    event_.finish_reason = event_.finished;
  }

  StreamEvent event_;
  UsageParts started_usage_;
  std::string message_;
  bool delta_token_ = false;
  // These point into the text that is read, still escaped.
  std::string_view type_;
  std::string_view delta_string_;
  std::string_view content_;
  std::string_view token_text_;
};

}  // namespace

StreamEvent read_stream_event(Dialect dialect, std::string_view name, std::string_view data) {
  const std::string_view text = padded_copy(data);
  EventReader reader;
  StreamEvent event;
  const auto visit = [&reader](std::string_view key, JsonValue& value) {
    return reader.member(key, value);
  };
  if (read_json_object(text, visit).ok()) {
    event = std::move(reader).finish(dialect, name, text, data);
  } else if (name == "error") {
    event.error = true;
  }
  if (event.error && event.error_message.empty()) event.error_message = shortened(data);
  return event;
}

}  // namespace lmb::protocol
