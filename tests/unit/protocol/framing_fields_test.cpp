#include "framing_fields.hpp"

#include <gtest/gtest.h>

#include <string_view>

// The rules that hold without the grammar checks in front of them: two parsers agree, or nobody.
namespace lmb::protocol {
namespace {

using boost::beast::http::field;

HeaderField length(std::string_view value) {
  return {field::content_length, "Content-Length", value};
}
HeaderField coding(std::string_view value) {
  return {field::transfer_encoding, "Transfer-Encoding", value};
}

TEST(FramingFields, refuse_a_length_beside_a_coding_in_either_order) {
  FramingFields length_first;
  EXPECT_FALSE(length_first.take(length("5")));
  EXPECT_FALSE(length_first.take(coding("chunked")));
  ASSERT_TRUE(length_first.check(true));
  EXPECT_EQ(length_first.check(true)->kind, ErrorKind::bad_request);
  FramingFields coding_first;
  EXPECT_FALSE(coding_first.take(coding("gzip, chunked")));
  EXPECT_FALSE(coding_first.take(length("0")));
  ASSERT_TRUE(coding_first.check(true));
  EXPECT_EQ(coding_first.check(true)->kind, ErrorKind::bad_request);
}

TEST(FramingFields, refuse_repetition_even_when_the_values_agree) {
  FramingFields fields;
  EXPECT_FALSE(fields.take(length("5")));
  EXPECT_TRUE(fields.take(length("5")));
  FramingFields codings;
  EXPECT_FALSE(codings.take(coding("chunked")));
  EXPECT_TRUE(codings.take(coding("chunked")));
}

TEST(FramingFields, refuse_lengths_that_are_not_one_decimal_number) {
  for (const std::string_view value :
       {"", "+1", "-1", " 1", "1 ", "1,1", "0x1", "1.0", "one", "18446744073709551616"}) {
    EXPECT_TRUE(FramingFields().take(length(value))) << value;
  }
}

}  // namespace
}  // namespace lmb::protocol
