#include "field_list.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace lmb::protocol {
namespace {

constexpr std::string_view white_space = " \t";

constexpr std::array<bool, 256> token_table = [] {
  std::array<bool, 256> table{};
  constexpr std::string_view chars =
      "!#$%&'*+-.^_`|~0123456789"
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char c : chars) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

constexpr char fold(char c) noexcept {
  if (c >= 'A' && c <= 'Z') {
    return static_cast<char>(c - 'A' + 'a');
  }
  return c == '_' ? '-' : c;
}

}  // namespace

std::string_view take_list_item(std::string_view& rest) noexcept {
  const std::size_t comma = rest.find(',');
  std::string_view item = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  const std::size_t first = item.find_first_not_of(white_space);
  if (first == std::string_view::npos) {
    return {};
  }
  return item.substr(first, item.find_last_not_of(white_space) - first + 1);
}

bool is_token_char(char c) noexcept {
  return token_table[static_cast<unsigned char>(c)];
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool same_field_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return fold(x) == fold(y); });
}

bool field_name_starts_with(std::string_view name, std::string_view prefix) noexcept {
  return name.size() >= prefix.size() && same_field_name(name.substr(0, prefix.size()), prefix);
}

}  // namespace lmb::protocol
