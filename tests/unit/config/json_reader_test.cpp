#include "json_reader.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <variant>

namespace lmb::config {
namespace {

Node good(std::string_view text) {
  auto read = read_json(text);
  if (const auto* error = std::get_if<SyntaxError>(&read)) {
    ADD_FAILURE() << text << "\n" << error->message;
    return {};
  }
  return std::get<Node>(read);
}

std::string error_of(std::string_view text) {
  auto read = read_json(text);
  if (const auto* error = std::get_if<SyntaxError>(&read)) return error->message;
  return "no error";
}

TEST(JsonReader, keeps_the_order_of_keys_and_every_repetition) {
  const auto node = good(R"({"b": 1, "a": [true, null, "x", 1.5], "b": {}})");
  EXPECT_EQ(node.names, (std::vector<std::string>{"b", "a", "b"}));
  ASSERT_EQ(node.elements.size(), 3U);
  EXPECT_EQ(node.elements[0].integer, 1);
  const auto& list = node.elements[1];
  ASSERT_EQ(list.elements.size(), 4U);
  EXPECT_TRUE(list.elements[0].boolean);
  EXPECT_EQ(list.elements[1].kind, NodeKind::null);
  EXPECT_EQ(list.elements[2].text, "x");
  EXPECT_EQ(list.elements[3].kind, NodeKind::fraction);
  EXPECT_EQ(list.elements[3].text, "1.5");
  EXPECT_EQ(node.elements[2].kind, NodeKind::object);
}

TEST(JsonReader, saturates_numbers_beyond_64_bits) {
  EXPECT_EQ(good("-5").integer, -5);
  EXPECT_EQ(good("9223372036854775807").integer, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(good("18446744073709551615").integer, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(good("99999999999999999999999").kind, NodeKind::fraction);
}

TEST(JsonReader, takes_comments_and_a_byte_order_mark) {
  const auto node = good("\xEF\xBB\xBF// one\n{ /* two\n lines */ \"a\" /**/ : 1 } // end");
  EXPECT_EQ(node.names, std::vector<std::string>{"a"});
}

struct Case {
  const char* text;
  const char* message;
};

TEST(JsonReader, tells_where_what_was_expected_and_what_was_found) {
  const Case cases[] = {
      {"{\"a\": 1\n \"b\": 2}", "line 2, column 2: expected ',' or '}', found a text"},
      {"{\"a\" 1}", "line 1, column 6: expected ':' after the key, found a number"},
      {"{\"a\": 1,}",
       "line 1, column 9: expected a key in double quotes, found '}'; is there a comma too many "
       "before it?"},
      {"[1, 2,\n]",
       "line 2, column 1: expected a value, found ']'; is there a comma too many before it?"},
      {"[1 2]", "line 1, column 4: expected ',' or ']', found a number"},
      {"{\"a\": }", "line 1, column 7: expected a value, found '}'"},
      {"{\"a\": 1", "line 1, column 8: expected ',' or '}', found the end of the file"},
      {"{\"a\": 1\n", "line 2, column 1: expected ',' or '}', found the end of the file"},
      {"{} true", "line 1, column 4: expected nothing after the closing '}', found true"},
      {"{1: 2}", "line 1, column 2: expected a key in double quotes, found a number"},
      {"{a: 2}",
       "line 1, column 2: expected a key in double quotes, found something that is no number, "
       "true, "
       "false or null, nor in double quotes"},
      {"{\"a\": yes}",
       "line 1, column 7: expected a value, found something that is no number, true, false or "
       "null, "
       "nor in double quotes"},
      {"{\"a\": \"x\n}", "line 1, column 9: a text without its closing quote"},
      {"{\"a\": \"x", "line 1, column 9: a text without its closing quote"},
      {"{\"a\": \"C:\\dir\"}",
       "line 1, column 11: a '\\' in a text that begins no escape; write \\\\ for the character"},
      {"{\"a\": \"\\u12\"}",
       "line 1, column 12: a \\u in a text without its four hexadecimal digits"},
      {"{\"a\": \"\\ud800x\"}", "line 1, column 14: half of a \\u surrogate pair in a text"},
      {"{\"a\": \"\x01\"}", "line 1, column 8: a control character in a text; write it as \\uXXXX"},
      {"{\"a\": \"\xFF\"}", "line 1, column 8: a byte that is not UTF-8"},
      {"{ /* \n", "line 2, column 1: a comment without its closing */"},
      {"{ / }", "line 1, column 4: a '/' that begins no comment"},
      {"[-]", "line 1, column 3: an incomplete number"},
      {"[1e999]", "line 1, column 6: the number is too large"},
      {"{\"\xC3\xA4\xC3\xB6\" 1}", "line 1, column 7: expected ':' after the key, found a number"},
      {"\xEF\xBB\xBF{1: 2}", "line 1, column 2: expected a key in double quotes, found a number"},
      {"\xFF\xFE{", "the file is UTF-16; save it as UTF-8"},
  };
  for (const auto& c : cases) EXPECT_EQ(error_of(c.text), c.message) << c.text;
}

TEST(JsonReader, calls_a_file_of_blanks_and_comments_empty) {
  for (const auto* text : {"", " \n", "\xEF\xBB\xBF", "// only a comment\n"}) {
    EXPECT_TRUE(error_of(text).starts_with("the file is empty; the smallest config is")) << text;
  }
}

TEST(JsonReader, refuses_a_NUL_byte_that_would_hide_the_rest) {
  EXPECT_EQ(error_of(std::string_view("{}\n \0{", 6)),
            "line 2, column 2: a NUL byte; the file must be text");
}

TEST(JsonReader, refuses_nesting_before_it_can_hurt) {
  EXPECT_EQ(error_of(std::string(1'000'000, '[')), "nested more than 32 levels deep");
  EXPECT_EQ(error_of(std::string(32, '[') + std::string(32, ']')), "no error");
}

TEST(JsonReader, never_shows_the_text_that_it_could_not_read) {
  const char* broken[] = {
      R"({"api_key": "sk-secret)",         R"({"api_key": "sk-secret\q"})",
      "{\"api_key\": \"sk-secret\n\"}",    R"({"api_key": sk-secret})",
      R"({"api_key" "sk-secret"})",        R"(["sk-secret" "sk-secret"])",
      "{\"api_key\": \"sk-secret\xFF\"}",  R"({"api_key": 12sk-secret})",
      R"({"api_key": "x"} "sk-secret")",   R"({"api_key": 'sk-secret'; expected 'sk-secret'})",
      R"({"k": "sk-secret; expected ']')", R"({"api_key": "\udc00sk-secret"})",
  };
  for (const auto* text : broken) {
    const auto message = error_of(text);
    EXPECT_NE(message, "no error") << text;
    EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace lmb::config
