#include "units.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <regex>
#include <string>

namespace lmb::config {
namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();

TEST(Durations, are_read_in_every_unit_and_in_falling_combinations) {
  EXPECT_EQ(parse_duration("250ms"), 250);
  EXPECT_EQ(parse_duration("30s"), 30'000);
  EXPECT_EQ(parse_duration("10m"), 600'000);
  EXPECT_EQ(parse_duration("2h"), 7'200'000);
  EXPECT_EQ(parse_duration("1m30s"), 90'000);
  EXPECT_EQ(parse_duration("1h2m3s4ms"), 3'723'004);
  EXPECT_EQ(parse_duration("0s"), 0);
  EXPECT_EQ(parse_duration("007s"), 7000);
}

TEST(Durations, of_any_other_form_are_refused) {
  for (const auto* text : {"", "s", "30", "30 s", " 30s", "30s ", "-1s", "+1s", "1.5s", "1d",
                           "30sec", "1s1m", "1s1s", "1ms1s", "1e3s", "30S", "1m30", "9\xC2\xB5s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Durations, beyond_64_bits_saturate) {
  EXPECT_EQ(parse_duration("99999999999999999999ms"), most);
  EXPECT_EQ(parse_duration("9223372036854775807h"), most);
  EXPECT_EQ(parse_duration("9223372036854775807ms"), most);
  EXPECT_EQ(parse_duration("2562047788015h9223372036854775807s"), most);
}

TEST(Durations, are_spelt_in_the_largest_exact_unit) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(250), "250ms");
  EXPECT_EQ(format_duration(75'000), "75s");
  EXPECT_EQ(format_duration(240'000), "4m");
  EXPECT_EQ(format_duration(86'400'000), "24h");
}

TEST(Sizes, are_read_in_every_unit) {
  EXPECT_EQ(parse_size("512B"), 512);
  EXPECT_EQ(parse_size("16KiB"), 16 * 1024);
  EXPECT_EQ(parse_size("64MiB"), 64 << 20);
  EXPECT_EQ(parse_size("2GiB"), std::int64_t{2} << 30);
  EXPECT_EQ(parse_size("99999999999999999999GiB"), most);
}

TEST(Sizes, of_any_other_form_are_refused) {
  for (const auto* text : {"", "KiB", "16", "16K", "16KB", "16kib", "16 KiB", "-1KiB", "1.5MiB",
                           "1MiB512KiB", "0x10B", "1TiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Sizes, are_spelt_in_the_largest_exact_unit) {
  EXPECT_EQ(format_size(1000), "1000B");
  EXPECT_EQ(format_size(65'536), "64KiB");
  EXPECT_EQ(format_size(std::int64_t{1} << 40), "1024GiB");
  EXPECT_EQ(format_size(0), "0B");
}

/// Editors check with the pattern, we with the function: they must agree on every text.
TEST(Patterns, accept_exactly_what_the_functions_accept) {
  const std::regex duration((std::string(duration_pattern)));
  const std::regex size((std::string(size_pattern)));
  const std::string pieces[] = {"", "1", "30", "h", "m", "s", "ms", "B", "KiB", "MiB", "GiB", " "};
  for (const auto& a : pieces) {
    for (const auto& b : pieces) {
      for (const auto& c : pieces) {
        for (const auto& d : pieces) {
          const auto text = a + b + c + d;
          ASSERT_EQ(std::regex_search(text, duration), parse_duration(text).has_value()) << text;
          ASSERT_EQ(std::regex_search(text, size), parse_size(text).has_value()) << text;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lmb::config
