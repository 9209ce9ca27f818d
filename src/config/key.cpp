#include "key.hpp"

#include <algorithm>

#include "lmb/base/assert.hpp"
#include "units.hpp"

namespace lmb::config {

const Key* find_key(std::string_view path) noexcept {
  const auto keys = all_keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.path == path; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const auto& key : all_keys()) {
    auto rest = key.path;
    if (!section.empty()) {
      if (!rest.starts_with(section) || rest.substr(section.size(), 1) != ".") continue;
      rest.remove_prefix(section.size() + 1);
    }
    const auto name = rest.substr(0, rest.find_first_of(".["));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string number_text(const Key& key, std::int64_t number) {
  if (key.type == KeyType::duration) return format_duration(number);
  if (key.type == KeyType::size) return format_size(number);
  return std::to_string(number);
}

std::string range_text(const Key& key) {
  auto ends = number_text(key, key.range.least) + " to " + number_text(key, key.range.most);
  switch (key.type) {
    case KeyType::count:
    case KeyType::duration:
    case KeyType::size:
      return ends;
    case KeyType::slots:
      return "\"auto\" or " + ends;
    case KeyType::text:
    case KeyType::secret:
    case KeyType::url:
      return ends + " characters";
    case KeyType::listen:
      return ends + " addresses";
    case KeyType::flag:
      return "true or false";
    case KeyType::aliases:
    case KeyType::fallbacks:
    case KeyType::client_keys:
      return ends + " names";
    case KeyType::networks:
      return ends + " networks";
    case KeyType::choice:
      break;
  }
  std::string list;
  for (const auto name : key.choices) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

std::int64_t number_in(const Key& key, Target target) {
  const auto field = key.field(target);
  if (const auto* const* number = std::get_if<std::size_t*>(&field)) {
    return static_cast<std::int64_t>(**number);
  }
  if (const auto* const* number = std::get_if<std::uint32_t*>(&field)) return **number;
  const auto* const* time = std::get_if<Duration*>(&field);
  LMB_ASSERT(time != nullptr);
  return std::chrono::duration_cast<std::chrono::milliseconds>(**time).count();
}

}  // namespace lmb::config
