#include "usage.hpp"

namespace lmb::protocol {

bool read_usage(JsonValue& value, UsageParts& parts) {
  return each_member(value, [&parts](std::string_view key, JsonValue& count) {
    std::optional<std::uint64_t>* part = nullptr;
    if (key == "prompt_tokens" || key == "input_tokens") {
      part = &parts.prompt;
    } else if (key == "completion_tokens" || key == "output_tokens" ||
               key == "total_output_tokens") {
      part = &parts.generated;
    }
    std::uint64_t tokens = 0;
    if (part != nullptr && count.get_uint64().get(tokens) == simdjson::SUCCESS) *part = tokens;
    return true;
  });
}

std::optional<Usage> usage_of_answer(std::string_view body, Dialect dialect) {
  const std::string_view holder = dialect == Dialect::lmstudio_chat ? "stats" : "usage";
  UsageParts parts;
  const JsonCheck check = read_json_object(body, [&](std::string_view key, JsonValue& value) {
    return key != holder || read_usage(value, parts);
  });
  const Usage usage{parts.prompt.value_or(0), parts.generated.value_or(0)};
  if (!check.ok() || (usage.prompt_tokens == 0 && usage.generated_tokens == 0)) return std::nullopt;
  return usage;
}

}  // namespace lmb::protocol
