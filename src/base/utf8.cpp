#include "lmb/base/utf8.hpp"

#include "lmb/base/assert.hpp"

namespace lmb {
namespace {

constexpr std::size_t longest_sequence = 4;

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
}

bool continues(unsigned byte) noexcept {
  return (byte & 0xC0U) == 0x80U;
}

/// The range of the second byte depends on the first: that is what excludes overlong forms,
/// surrogates and anything above U+10FFFF.
bool second_byte_fits(unsigned first, unsigned second) noexcept {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return continues(second);
  }
}

std::size_t announced_length(unsigned first) noexcept {
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return longest_sequence;
  return 0;
}

}  // namespace

Utf8Unit first_unit(std::string_view text) noexcept {
  LMB_ASSERT(!text.empty());
  const unsigned first = byte_at(text, 0);
  if (first < 0x20 || first == 0x7F) return {Utf8Kind::control, 1};
  if (first < 0x80) return {Utf8Kind::plain, 1};
  const std::size_t length = announced_length(first);
  if (length == 0 || !second_byte_fits(first, byte_at(text, 1))) return {Utf8Kind::invalid, 1};
  for (std::size_t i = 2; i < length; ++i) {
    if (!continues(byte_at(text, i))) return {Utf8Kind::invalid, 1};
  }
  const bool c1_control = first == 0xC2 && byte_at(text, 1) < 0xA0;
  return {c1_control ? Utf8Kind::control : Utf8Kind::plain, length};
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  std::size_t begin = limit;
  while (begin > 0 && limit - begin < longest_sequence - 1 && continues(byte_at(text, begin))) {
    --begin;
  }
  const bool crosses_limit = begin + first_unit(text.substr(begin)).length > limit;
  return text.substr(0, crosses_limit ? begin : limit);
}

}  // namespace lmb
