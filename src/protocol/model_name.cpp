#include "lmb/protocol/model_name.hpp"

#include <algorithm>

namespace lmb::protocol {
namespace {

bool is_instance_number(std::string_view text) noexcept {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  return digits && text.front() != '0' && text != "1";
}

/// Equal, or one of them does not say.
bool agree(std::string_view a, std::string_view b) noexcept {
  return a.empty() || b.empty() || a == b;
}

}  // namespace

ModelName split_model_name(std::string_view text) noexcept {
  ModelName parts;
  std::string_view rest = text;
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    if (const auto number = rest.substr(colon + 1); is_instance_number(number)) {
      parts.instance = number;
      rest = rest.substr(0, colon);
    }
  }
  if (const auto slash = rest.rfind('/'); slash != std::string_view::npos) {
    parts.publisher = rest.substr(0, slash);
    rest = rest.substr(slash + 1);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    parts.quant = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  parts.name = rest;
  if (parts.name.empty()) parts = {{}, text, {}, {}};
  return parts;
}

bool same_model(std::string_view a, std::string_view b) noexcept {
  if (a == b) return true;
  const ModelName one = split_model_name(a);
  const ModelName other = split_model_name(b);
  return one.name == other.name && agree(one.publisher, other.publisher) &&
         agree(one.quant, other.quant) && agree(one.instance, other.instance);
}

std::vector<std::string> spellings_of_model(std::string_view key,
                                            const std::vector<std::string>& variants) {
  std::vector<std::string> names;
  const auto add = [&names](std::string_view full) {
    const auto publisher = split_model_name(full).publisher;
    names.emplace_back(full);
    if (!publisher.empty()) names.emplace_back(full.substr(publisher.size() + 1));
  };
  add(key);
  for (const std::string& variant : variants) add(variant);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, key);
  return names;
}

}  // namespace lmb::protocol
