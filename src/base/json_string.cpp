#include "lmb/base/json_string.hpp"

#include "lmb/base/utf8.hpp"

namespace lmb {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_control(std::string& out, std::string_view character) {
  switch (character.front()) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  // C1 controls are C2 80..C2 9F in UTF-8, so the last byte is the code point in both lengths.
  const auto code = static_cast<unsigned char>(character.back());
  out += "\\u00";
  out += hex_digits[code >> 4U];
  out += hex_digits[code & 0xFU];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Utf8Unit unit = first_unit(text);
    const std::string_view character = text.substr(0, unit.length);
    if (unit.kind == Utf8Kind::control) {
      append_control(out, character);
    } else if (unit.kind == Utf8Kind::invalid) {
      out += replacement_character;
    } else {
      if (character == "\"" || character == "\\") out += '\\';
      out += character;
    }
    text.remove_prefix(unit.length);
  }
  out += '"';
}

}  // namespace lmb
