#include "terminal_text.hpp"

#include "lmb/base/utf8.hpp"

namespace lmb::app {
namespace {

/// Turns the direction of the text behind it, or ends a line: U+200E, U+200F, U+2028..U+202E,
/// U+2066..U+2069.
bool redirects(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xE2') return false;
  const auto second = static_cast<unsigned char>(character[1]);
  const auto third = static_cast<unsigned char>(character[2]);
  const bool marks = second == 0x80 && (third == 0x8E || third == 0x8F);
  const bool overrides = second == 0x80 && third >= 0xA8 && third <= 0xAE;
  const bool isolates = second == 0x81 && third >= 0xA6 && third <= 0xA9;
  return marks || overrides || isolates;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto unit = first_unit(text);
    const auto character = text.substr(0, unit.length);
    const bool plain = unit.kind == Utf8Kind::plain && !redirects(character);
    out += plain ? character : "?";
    text.remove_prefix(unit.length);
  }
  return out;
}

}  // namespace lmb::app
