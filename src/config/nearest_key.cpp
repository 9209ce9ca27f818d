#include "nearest_key.hpp"

#include "key.hpp"
#include "lmb/config/edit_distance.hpp"
#include "spelling.hpp"

namespace lmb::config {
namespace {

/// No key is longer; a longer unknown one is no misspelling and would cost quadratic time.
constexpr std::size_t length_max = 40;

std::string_view last_name(std::string_view path) noexcept {
  return path.substr(path.rfind('.') + 1);  // npos + 1 is 0: the whole path.
}

std::string_view section_of(std::string_view path) noexcept {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::string place_of(std::string_view section) {
  return section.empty() ? "at the top level" : "in " + quoted(section);
}

}  // namespace

Suggestion suggest_key(std::string_view section, std::string_view unknown) {
  const auto names = names_in(section);
  if (unknown.size() <= length_max) {
    std::string_view nearest;
    auto least = length_max;
    for (const auto name : names) {
      const auto edits = edit_distance(unknown, name);
      if (edits >= least || !near(edits, name)) continue;
      least = edits;
      nearest = name;
    }
    if (!nearest.empty()) return {"did you mean " + quoted(nearest) + "?", nearest};
    for (const auto& key : all_keys()) {
      if (edit_distance(unknown, last_name(key.path)) != 0) continue;
      return {quoted(last_name(key.path)) + " belongs " + place_of(section_of(key.path)), {}};
    }
  }
  std::string list;
  for (const auto name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return {"known here: " + list, {}};
}

}  // namespace lmb::config
