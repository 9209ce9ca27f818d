#include "text_format.hpp"

#include <gtest/gtest.h>

namespace lmb::bench {
namespace {

TEST(TextFormat, keeps_three_digits) {
  EXPECT_EQ(short_text(0), "0");
  EXPECT_EQ(short_text(0.1234), "0.123");
  EXPECT_EQ(short_text(0.9999), "1.00");
  EXPECT_EQ(short_text(1.776), "1.78");
  EXPECT_EQ(short_text(9.999), "10.0");
  EXPECT_EQ(short_text(99.96), "100");
  EXPECT_EQ(short_text(12345.6), "12346");
  EXPECT_EQ(milliseconds_text(std::chrono::microseconds(6780)), "6.78");
  EXPECT_EQ(percent_text(0.9975), "99.8 %");
}

TEST(TextFormat, counts_nouns) {
  EXPECT_EQ(counted(1, "request"), "1 request");
  EXPECT_EQ(counted(0, "request"), "0 requests");
}

TEST(TextFormat, aligns_columns) {
  EXPECT_EQ(table_text({{"name", "n"}, {"a", "100"}, {"long name"}}),
            "name         n\n"
            "a          100\n"
            "long name\n");
}

TEST(TextFormat, counts_a_character_once) {
  EXPECT_EQ(table_text({{"é", "1"}, {"ab", "1"}}), "é   1\nab  1\n");
}

TEST(TextFormat, lets_no_control_character_through) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\nc\x7f"), "a [2Jb  c ");
}

}  // namespace
}  // namespace lmb::bench
