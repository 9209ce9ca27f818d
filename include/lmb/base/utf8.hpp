#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lmb {

/// What stands at the beginning of a text whose origin is not trusted.
enum class Utf8Kind : std::uint8_t {
  plain,    ///< A printable character.
  control,  ///< U+0000..U+001F, U+007F, or U+0080..U+009F: moves a terminal or forges a line.
  invalid,  ///< One byte that begins no well-formed sequence (Unicode 15, table 3-7).
};

struct Utf8Unit {
  Utf8Kind kind;
  std::size_t length;  ///< 1 to 4 bytes; 1 when invalid.
};

/// Classifies the first character of `text`, which must not be empty.
Utf8Unit first_unit(std::string_view text) noexcept;

/// U+FFFD, what an invalid byte becomes wherever the output must be well-formed UTF-8.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// The longest prefix of `text` of at most `limit` bytes that splits no well-formed character.
std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

}  // namespace lmb
