#include "nearest_key.hpp"

#include <algorithm>
#include <vector>

#include "key.hpp"
#include "spelling.hpp"

namespace lmb::config {
namespace {

/// No key is longer; a longer unknown one is no misspelling and would cost quadratic time.
constexpr std::size_t length_max = 40;

char folded(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

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

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the usual table.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                           folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

Suggestion suggest_key(std::string_view section, std::string_view unknown) {
  const auto names = names_in(section);
  if (unknown.size() <= length_max) {
    std::string_view nearest;
    auto least = length_max;
    for (const auto name : names) {
      const auto edits = edit_distance(unknown, name);
      if (edits >= least || edits > std::max<std::size_t>(1, name.size() / 3)) continue;
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
