#include "usage.hpp"

#include <string>

namespace lmb::protocol {
namespace {

/// A hundred times the longest context there is.
constexpr std::uint64_t tokens_max = 1'000'000'000;

/// The object that is the value of the last member called `name`, wherever it stands; empty when
/// there is none. In valid JSON a bare quoted name with a colon behind it is always a key: within a
/// string its quotes are escaped.
std::string_view last_object_called(std::string_view name, std::string_view body) {
  constexpr std::string_view white_space = " \t\n\r";
  std::string key;
  key.append("\"").append(name).append("\"");
  for (auto at = body.rfind(key); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : body.rfind(key, at - 1)) {
    const auto colon = body.find_first_not_of(white_space, at + key.size());
    if (colon == std::string_view::npos || body[colon] != ':') continue;
    const auto value = body.find_first_not_of(white_space, colon + 1);
    if (value == std::string_view::npos || body[value] != '{') continue;
    const std::string_view rest = body.substr(value);
    const JsonCheck end = find_json_object_end(rest);
    return end.ok() ? rest.substr(0, end.at) : std::string_view();
  }
  return {};
}

bool read_usage_member(std::string_view key, JsonValue& count, UsageParts& parts) {
  std::optional<std::uint64_t>* part = nullptr;
  if (key == "prompt_tokens" || key == "input_tokens") {
    part = &parts.prompt;
  } else if (key == "completion_tokens" || key == "output_tokens" || key == "total_output_tokens") {
    part = &parts.generated;
  }
  const char kind = json_kind(count);
  const bool is_number = kind == '-' || (kind >= '0' && kind <= '9');
  if (part == nullptr || !is_number) return true;
  std::uint64_t tokens = 0;
  if (count.get_uint64().get(tokens) == simdjson::SUCCESS && tokens <= tokens_max) {
    *part = tokens;
  } else {
    parts.absurd = true;
  }
  return true;
}

}  // namespace

bool read_usage(JsonValue& value, UsageParts& parts) {
  return each_member(value, [&parts](std::string_view key, JsonValue& count) {
    return read_usage_member(key, count, parts);
  });
}

std::optional<Usage> usage_of_answer(std::string_view body, Dialect dialect) {
  const std::string_view holder = dialect == Dialect::lmstudio_chat ? "stats" : "usage";
  UsageParts parts;
  // Answers hold their tokens near their end: reading that object alone costs a sixth of reading
  // the whole answer.
  const std::string_view object = last_object_called(holder, body);
  if (object.empty()) return std::nullopt;
  const JsonCheck check =
      read_json_object(object, [&parts](std::string_view key, JsonValue& value) {
        return read_usage_member(key, value, parts);
      });
  const Usage usage{parts.prompt.value_or(0), parts.generated.value_or(0)};
  if (!check.ok() || parts.absurd) return std::nullopt;
  if (usage.prompt_tokens == 0 && usage.generated_tokens == 0) return std::nullopt;
  return usage;
}

std::string response_id_of_answer(std::string_view body, Dialect dialect) {
  std::string id;
  if (!has_stored_responses(dialect)) return id;
  const std::string_view name = dialect == Dialect::lmstudio_chat ? "response_id" : "id";
  const JsonCheck check =
      read_json_object(body, [&id, name](std::string_view key, JsonValue& value) {
        return key != name || assign_text(value, id);
      });
  if (!check.ok()) id.clear();
  return id;
}

}  // namespace lmb::protocol
