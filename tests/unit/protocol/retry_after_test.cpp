#include "lmb/protocol/retry_after.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lmb::protocol {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::system_clock::time_point now =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 10h;

TEST(RetryAfter, is_a_number_of_seconds) {
  EXPECT_EQ(parse_retry_after("0", now), 0s);
  EXPECT_EQ(parse_retry_after("120", now), 120s);
  EXPECT_EQ(parse_retry_after("0120", now), 120s);
  EXPECT_EQ(parse_retry_after("3600", now), 3600s);
  for (const char* absurd : {"3601", "99999999999999999999999"}) {
    EXPECT_EQ(parse_retry_after(absurd, now), retry_after_max) << absurd;
  }
}

TEST(RetryAfter, is_a_date) {
  EXPECT_EQ(parse_retry_after("Sun, 22 Nov 2026 10:00:30 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Sun, 22 Nov 2026 10:00:30 GMT", now + 500ms), 30s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 0s);
  EXPECT_EQ(parse_retry_after("Mon, 29 Feb 2028 00:00:60 GMT", now), retry_after_max);
}

TEST(RetryAfter, is_nothing_else) {
  for (const char* wrong : {"",
                            " 5",
                            "5 ",
                            "-1",
                            "+1",
                            "1.5",
                            "5s",
                            "soon",
                            "0x10",
                            "Sunday, 06-Nov-94 08:49:37 GMT",
                            "Sun Nov  6 08:49:37 1994",
                            "Sun, 06 Nov 1994 08:49:37 UTC",
                            "Sun, 6 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Now 1994 08:49:37 GMT",
                            "Son, 06 Nov 1994 08:49:37 GMT",
                            "Sun, 31 Feb 2027 08:49:37 GMT",
                            "Sun, 00 Nov 2026 08:49:37 GMT",
                            "Sun, 22 Nov 2026 24:00:00 GMT",
                            "Sun, 22 Nov 2026 10:60:00 GMT",
                            "Sun, 22 Nov 2026 10:00:61 GMT",
                            "Sun, 22 Nov 2026 1a:00:00 GMT",
                            "Sun, 22 Nov 2026 10:00:30 GMT "}) {
    EXPECT_EQ(parse_retry_after(wrong, now), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace lmb::protocol
