#include "lmb/base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lmb {
namespace {

using namespace std::string_literals;

std::string encoded(std::uint32_t code) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
  if (code < 0x10000) {
    return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
  }
  return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)),
          byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
}

TEST(Utf8, accepts_every_scalar_value_and_nothing_else) {
  for (std::uint32_t code = 0; code < 0x120000; ++code) {
    const std::string text = encoded(code);
    const Utf8Unit unit = first_unit(text + "x");
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    if (surrogate || code > 0x10FFFF) {
      ASSERT_EQ(unit.kind, Utf8Kind::invalid) << std::hex << code;
    } else {
      ASSERT_EQ(unit.kind, control ? Utf8Kind::control : Utf8Kind::plain) << std::hex << code;
      ASSERT_EQ(unit.length, text.size()) << std::hex << code;
    }
  }
}

TEST(Utf8, refuses_truncated_overlong_and_stray_bytes_one_by_one) {
  for (const std::string& text :
       {"\x80"s, "\xBF"s, "\xC3"s, "\xC3("s, "\xC0\x80"s, "\xC1\xBF"s, "\xE2\x82"s, "\xE2\x28\xA1"s,
        "\xE0\x9F\xBF"s, "\xF0\x8F\xBF\xBF"s, "\xF0\x9F\x98"s, "\xF0\x9F\x98("s,
        "\xF5\x80\x80\x80"s, "\xFE"s, "\xFF"s}) {
    const Utf8Unit unit = first_unit(text);
    EXPECT_EQ(unit.kind, Utf8Kind::invalid) << testing::PrintToString(text);
    EXPECT_EQ(unit.length, 1U);
  }
}

TEST(Utf8, a_prefix_never_splits_a_character) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";  // 1 + 2 + 3 + 4 + 1 bytes
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t limit = 0; limit < std::size(expected); ++limit) {
    EXPECT_EQ(utf8_prefix(text, limit), text.substr(0, expected[limit])) << limit;
  }
}

TEST(Utf8, a_prefix_of_garbage_has_the_length_asked_for) {
  const std::string garbage(40, '\x80');
  EXPECT_EQ(utf8_prefix(garbage, 17).size(), 17U);
  EXPECT_EQ(utf8_prefix("", 4), "");
}

}  // namespace
}  // namespace lmb
