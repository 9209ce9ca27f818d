#include "lmb/scheduling/nearest_names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace lmb::scheduling {
namespace {

constexpr std::size_t names_max = 500;
constexpr std::size_t bytes_max = 64;

std::string folded(std::string_view text) {
  std::string out(text.substr(0, bytes_max));
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

/// Insertions, deletions and replacements between two texts of at most bytes_max bytes.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::uint8_t, bytes_max + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = static_cast<std::uint8_t>(j);
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::uint8_t diagonal = row[0];
    row[0] = static_cast<std::uint8_t>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      const int best = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      row[j] = static_cast<std::uint8_t>(best);
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view wrong,
                                       const std::vector<std::string>& known, std::size_t most) {
  const std::string wanted = folded(wrong);
  if (wanted.empty()) {
    return {};
  }
  std::vector<std::pair<std::size_t, std::size_t>> ranked;  // Rank and place in `known`.
  for (std::size_t i = 0; i < std::min(known.size(), names_max); ++i) {
    const std::string name = folded(known[i]);
    const bool holds = name.find(wanted) != std::string::npos ||
                       (!name.empty() && wanted.find(name) != std::string::npos);
    const std::size_t edits = distance(wanted, name);
    if (holds) {
      ranked.emplace_back(0, i);
    } else if (edits <= std::max<std::size_t>(1, wanted.size() / 3)) {
      ranked.emplace_back(edits, i);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(ranked.size(), most); ++i) {
    nearest.push_back(known[ranked[i].second]);
  }
  return nearest;
}

}  // namespace lmb::scheduling
