#include "lmb/protocol/request_facts.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "json_document.hpp"

namespace lmb::protocol {
namespace {

/// Adds the bytes of a value's JSON text, white space behind it included. False for broken syntax.
bool add_json_size(JsonValue& value, std::uint64_t& sum) {
  std::string_view text = value.raw_json_token();
  simdjson::error_code error = simdjson::SUCCESS;
  JsonArray array;
  JsonObject object;
  if (text.front() == '[') {
    error = value.get_array().get(array);
    if (error == simdjson::SUCCESS) error = array.raw_json().get(text);
  } else if (text.front() == '{') {
    error = value.get_object().get(object);
    if (error == simdjson::SUCCESS) error = object.raw_json().get(text);
  }
  sum += text.size();
  return error == simdjson::SUCCESS;
}

bool is_prompt_key(std::string_view key) noexcept {
  return key == "messages" || key == "input" || key == "prompt" || key == "system" ||
         key == "instructions" || key == "system_prompt";
}

bool is_limit_key(std::string_view key) noexcept {
  return key == "max_tokens" || key == "max_completion_tokens" || key == "max_output_tokens";
}

/// Collects the facts while the top-level members pass by. Anything that is not about the balancer
/// (a wrongly typed `max_tokens`, a message without a role) is left to the worker to refuse.
class FactReader {
 public:
  explicit FactReader(std::string_view body) noexcept : body_(body) {}

  /// False for text that breaks JSON's syntax. Contents that are refused are kept as `refusal`.
  bool member(std::string_view key, JsonValue& value) {
    if (key == "model") return read_model(value);
    if (key == "stream") return read_stream(value);
    if (key == "stream_options") return read_stream_options(value);
    if (key == "integrations") return read_integrations(value);
    if (key == "previous_response_id") return read_previous_response(value);
    if (key == "tools") return read_tools(value);
    if (is_prompt_key(key)) return add_json_size(value, facts_.prompt_bytes);
    if (is_limit_key(key)) read_limit(value);
    return true;
  }

  Result<RequestFacts> finish(Dialect dialect) && {
    if (refused_) return std::move(refusal_);
    if (!has_model_) {
      return Error(ErrorKind::bad_model,
                   "\"model\" is missing: name a model that GET /v1/models lists");
    }
    if (dialect == Dialect::openai_embeddings) facts_.stream = false;
    if (!has_stored_responses(dialect)) facts_.previous_response.clear();
    return std::move(facts_);
  }

 private:
  void refuse(ErrorKind kind, const char* why) {
    if (!refused_) refusal_ = Error(kind, why);
    refused_ = true;
  }

  bool read_model(JsonValue& value) {
    if (has_model_) refuse(ErrorKind::bad_model, "\"model\" is given twice: send it once");
    has_model_ = true;
    if (json_kind(value) != '"') {
      refuse(ErrorKind::bad_model, "\"model\" must be a string");
      return true;
    }
    const std::string_view token = value.raw_json_token();
    facts_.model_begin = static_cast<std::size_t>(token.data() - body_.data());
    facts_.model_size = token.rfind('"') + 1;
    std::string_view name;
    if (!read_text(value, name)) return false;
    if (name.empty()) {
      refuse(ErrorKind::bad_model, "\"model\" is empty: name a model that GET /v1/models lists");
    } else if (name.size() > model_bytes_max) {
      refuse(ErrorKind::bad_model, "\"model\" is longer than 512 bytes");
    } else {
      facts_.model = name;
    }
    return true;
  }

  bool read_stream(JsonValue& value) {
    if (has_stream_) refuse(ErrorKind::bad_json, "\"stream\" is given twice: send it once");
    has_stream_ = true;
    bool is_null = false;
    if (value.get_bool().get(facts_.stream) == simdjson::SUCCESS) return true;
    if (value.is_null().get(is_null) == simdjson::SUCCESS && is_null) return true;
    refuse(ErrorKind::bad_json, "\"stream\" must be true, false or null");
    return true;
  }

  // What is no string is left to the worker to refuse.
  bool read_previous_response(JsonValue& value) {
    if (has_previous_) {
      refuse(ErrorKind::bad_json, "\"previous_response_id\" is given twice: send it once");
    }
    has_previous_ = true;
    if (json_kind(value) != '"') return true;
    std::string_view id;
    if (!read_text(value, id)) return false;
    if (id.size() > response_id_bytes_max) {
      refuse(ErrorKind::bad_json, "\"previous_response_id\" is longer than 512 bytes");
    } else {
      facts_.previous_response = id;
    }
    return true;
  }

  bool read_stream_options(JsonValue& options) {
    return each_member(options, [this](std::string_view key, JsonValue& value) {
      bool flag = false;
      if (key == "include_usage" && value.get_bool().get(flag) == simdjson::SUCCESS) {
        facts_.include_usage = flag;
      }
      return true;
    });
  }

  bool read_integrations(JsonValue& value) {
    return each_element(value, [this](JsonValue&) {
      facts_.acts = true;
      return true;
    });
  }

  bool read_tools(JsonValue& value) {
    const char* const begin = value.raw_json_token().data();
    const bool whole = read_tool_types(value);
    // They are part of what the model reads, and often most of it.
    const char* end = nullptr;
    if (!whole || value.current_location().get(end) != simdjson::SUCCESS) return whole;
    facts_.prompt_bytes += static_cast<std::uint64_t>(end - begin);
    return true;
  }

  bool read_tool_types(JsonValue& value) {
    return each_element(value, [this](JsonValue& tool) {
      return each_member(tool, [this](std::string_view key, JsonValue& part) {
        if (key != "type" || json_kind(part) != '"') return true;
        std::string_view type;
        if (!read_text(part, type)) return false;
        facts_.acts = facts_.acts || type == "mcp";
        return true;
      });
    });
  }

  // Each limit holds by itself, so the smallest counts; LM Studio reads a negative one as "none".
  void read_limit(JsonValue& value) {
    std::int64_t limit = 0;
    if (value.get_int64().get(limit) != simdjson::SUCCESS || limit < 0) return;
    facts_.max_tokens = std::min(limit, facts_.max_tokens.value_or(limit));
  }

  std::string_view body_;
  RequestFacts facts_;
  Error refusal_;
  bool refused_ = false;
  bool has_model_ = false;
  bool has_stream_ = false;
  bool has_previous_ = false;
};

Error json_error(const JsonCheck& check) {
  const std::string where = " at byte " + std::to_string(check.at);
  switch (check.fault) {
    case JsonFault::none:
      break;
    case JsonFault::empty:
      return {ErrorKind::bad_json, "the body is empty: send a JSON object"};
    case JsonFault::not_object:
      return {ErrorKind::bad_json, "the body must be a JSON object, beginning with {"};
    case JsonFault::cut:
      return {ErrorKind::bad_json, "the body ends inside the JSON object, after " +
                                       std::to_string(check.at) + " bytes: was it cut off?"};
    case JsonFault::mismatched:
      return {ErrorKind::bad_json, "a bracket is closed by one of the other kind" + where};
    case JsonFault::too_deep:
      return {ErrorKind::bad_json, "brackets are nested deeper than 1024" + where};
    case JsonFault::trailing:
      return {ErrorKind::bad_json, "something follows the JSON object" + where};
    case JsonFault::bad_utf8:
      return {ErrorKind::bad_json, "the body is not UTF-8: encode it as UTF-8"};
    case JsonFault::syntax:
      return {ErrorKind::bad_json, "the syntax is broken near byte " + std::to_string(check.at)};
    case JsonFault::no_memory:
      return {ErrorKind::out_of_memory, "no memory to parse a body"};
  }
  return ErrorKind::internal;
}

}  // namespace

Result<RequestFacts> inspect_request(std::string_view body, Dialect dialect) {
  static_assert(json_depth_max == 1024 && model_bytes_max == 512 && response_id_bytes_max == 512,
                "told in the texts above");
  FactReader reader(body);
  const JsonCheck check = read_json_object(body, [&reader](std::string_view key, JsonValue& value) {
    return reader.member(key, value);
  });
  if (!check.ok()) return json_error(check);
  return std::move(reader).finish(dialect);
}

}  // namespace lmb::protocol
