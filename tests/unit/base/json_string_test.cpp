#include "lmb/base/json_string.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace lmb {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, escapes_what_json_and_terminals_need) {
  EXPECT_EQ(json_of(""), R"("")");
  EXPECT_EQ(json_of("plain /text"), R"("plain /text")");
  EXPECT_EQ(json_of("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_of("1\n2\r3\t4"), R"("1\n2\r3\t4")");
  EXPECT_EQ(json_of(std::string_view("\0\x1b[31m\x7f", 7)), R"("\u0000\u001b[31m\u007f")");
  EXPECT_EQ(json_of("\xC2\x9B"
                    "31m"),
            R"("\u009b31m")");
  EXPECT_EQ(json_of("Gr\xC3\xBC\xC3\x9F"
                    "e \xF0\x9F\x98\x80"),
            "\"Gr\xC3\xBC\xC3\x9F"
            "e \xF0\x9F\x98\x80\"");
}

TEST(JsonString, replaces_invalid_bytes) {
  EXPECT_EQ(json_of("a\xFF"
                    "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(json_of("\xC3"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(json_of("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonString, every_ascii_text_reads_back_and_random_bytes_parse) {
  std::string ascii;
  for (int i = 0; i < 128; ++i) ascii += static_cast<char>(i);
  EXPECT_EQ(nlohmann::json::parse(json_of(ascii)).get<std::string>(), ascii);

  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string text = json_of(bytes);
    EXPECT_TRUE(nlohmann::json::accept(text)) << testing::PrintToString(bytes);
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace lmb
