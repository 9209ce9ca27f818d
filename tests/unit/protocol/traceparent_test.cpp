#include "lmb/protocol/traceparent.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lmb::protocol {
namespace {

// The example of W3C Trace Context section 3.2.
constexpr const char* ids = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";

std::string value_of(const std::string& version, const std::string& flags) {
  return version + ids + flags;
}

TEST(TraceParent, is_read_byte_for_byte) {
  const auto parent = parse_traceparent(value_of("00", "01"));
  ASSERT_TRUE(parent.has_value());
  const TraceParent expected{{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92,
                              0x9d, 0x0e, 0x0e, 0x47, 0x36},
                             {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7},
                             true};
  EXPECT_EQ(*parent, expected);
}

TEST(TraceParent, of_its_flags_only_the_sampled_one_is_known) {
  for (const char* flags : {"00", "02", "fe"}) {
    const auto parent = parse_traceparent(value_of("00", flags));
    ASSERT_TRUE(parent.has_value()) << flags;
    EXPECT_FALSE(parent->sampled) << flags;
  }
  for (const char* flags : {"01", "03", "ff"}) {
    const auto parent = parse_traceparent(value_of("00", flags));
    ASSERT_TRUE(parent.has_value()) << flags;
    EXPECT_TRUE(parent->sampled) << flags;
  }
}

TEST(TraceParent, of_a_later_version_is_read_as_far_as_it_is_known) {
  const auto known = parse_traceparent(value_of("00", "01"));
  for (const char* version : {"01", "10", "cc", "fe"}) {
    EXPECT_EQ(parse_traceparent(value_of(version, "01")), known) << version;
    EXPECT_EQ(parse_traceparent(value_of(version, "01-")), known) << version;
    EXPECT_EQ(parse_traceparent(value_of(version, "01-what the future brings")), known) << version;
    EXPECT_EQ(parse_traceparent(value_of(version, "01.what")), std::nullopt) << version;
    EXPECT_EQ(parse_traceparent(value_of(version, "012")), std::nullopt) << version;
  }
}

TEST(TraceParent, is_nothing_else) {
  const std::string good = value_of("00", "01");
  const std::vector<std::string> wrong{
      "",
      "00",
      " " + good,
      good + " ",
      good + "-",
      good + "-01",
      good + "," + good,
      value_of("ff", "01"),
      value_of("ff", "01-x"),
      value_of("FF", "01"),
      value_of("0", "001"),
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
  };
  for (const auto& each : wrong) EXPECT_EQ(parse_traceparent(each), std::nullopt) << each;
}

TEST(TraceParent, has_each_character_in_its_place) {
  const std::string good = value_of("00", "01");
  for (std::size_t at = 0; at < good.size(); ++at) {
    EXPECT_EQ(parse_traceparent(good.substr(0, at)), std::nullopt) << "cut at " << at;
    for (const char wrong : {'g', 'A', 'F', '/', ':', '`', ' ', '\n', '"', '\0', '\xff'}) {
      auto each = good;
      each[at] = wrong;
      EXPECT_EQ(parse_traceparent(each), std::nullopt) << each;
    }
    auto swapped = good;
    swapped[at] = swapped[at] == '-' ? '0' : '-';
    EXPECT_EQ(parse_traceparent(swapped), std::nullopt) << swapped;
  }
}

TEST(TraceParent, that_is_written_is_read_as_the_same) {
  for (const char* flags : {"00", "01"}) {
    const auto text = value_of("00", flags);
    const auto parent = parse_traceparent(text);
    ASSERT_TRUE(parent.has_value());
    EXPECT_EQ(format_traceparent(*parent), text);
  }
  const auto later = parse_traceparent(value_of("7a", "fb-more"));
  ASSERT_TRUE(later.has_value());
  EXPECT_EQ(format_traceparent(*later), value_of("00", "01")) << "in the version that we know";
}

std::optional<TraceParent> of_fields(const std::string& lines) {
  RequestHead head;
  const auto text = "GET / HTTP/1.1\r\nHost: t\r\n" + lines + "\r\n";
  EXPECT_TRUE(parse_request_head(text, {}, head).has_value());
  return trace_parent_of(head.fields);
}

TEST(TraceParent, of_a_request_is_its_only_one) {
  const std::string good = value_of("00", "01");
  const auto expected = parse_traceparent(good);
  EXPECT_EQ(of_fields("traceparent: " + good + "\r\n"), expected);
  EXPECT_EQ(of_fields("X-Other: 1\r\nTraceParent: \t" + good + " \r\ntracestate: a=b\r\n"),
            expected);
  EXPECT_EQ(of_fields(""), std::nullopt);
  EXPECT_EQ(of_fields("tracestate: a=b\r\n"), std::nullopt);
  EXPECT_EQ(of_fields("x-traceparent: " + good + "\r\n"), std::nullopt);
  // The same or another one, valid or not: nobody can say which is meant.
  for (const auto& second : {good, value_of("00", "00"), std::string("nonsense")}) {
    EXPECT_EQ(of_fields("traceparent: " + good + "\r\nTraceparent: " + second + "\r\n"),
              std::nullopt)
        << second;
  }
}

}  // namespace
}  // namespace lmb::protocol
