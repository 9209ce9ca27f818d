#include "time_table.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace lmb::app {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::string_view timing =
    "read;dur=0.100, proxy;dur=0.020, queue;dur=12.000, connect;dur=0.000, send;dur=0.030, "
    "prefill;dur=300.000";

microseconds sum(const std::vector<TimePart>& parts) {
  return std::accumulate(parts.begin(), parts.end(), microseconds(0),
                         [](auto all, const auto& part) { return all + part.spent; });
}

TEST(TimeTable, parts_sum_to_the_total_and_the_rest_is_shown_as_such) {
  const SeenTimes seen{milliseconds(315), milliseconds(325), milliseconds(1000)};
  const auto parts = split_time(timing, seen);
  EXPECT_EQ(sum(parts), milliseconds(1000));
  ASSERT_EQ(parts.size(), 8U);
  EXPECT_EQ(parts[2].name, "queue");
  EXPECT_EQ(parts[2].spent, milliseconds(12));
  EXPECT_EQ(parts[5].name, "prefill");
  EXPECT_EQ(parts[5].spent, milliseconds(300 + 10)) << "it goes on after the head";
  EXPECT_EQ(parts[6].name, "generate");
  EXPECT_EQ(parts[6].spent, milliseconds(675));
  EXPECT_EQ(parts[7].spent, microseconds(315'000 - 312'150));
}

TEST(TimeTable, without_server_timing_only_the_client_speaks) {
  const auto parts = split_time("", {milliseconds(2), milliseconds(6), milliseconds(10)});
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].spent, milliseconds(6));
}

TEST(TimeTable, shows_times_and_shares_with_their_sums) {
  EXPECT_EQ(time_table({{"queue", milliseconds(250), "waiting"}, {"rest", milliseconds(750), ""}}),
            "    queue           250.000 ms     25.0 %  waiting\n"
            "    rest            750.000 ms     75.0 %\n"
            "    total          1000.000 ms    100.0 %\n");
}

TEST(TimeTable, rounded_shares_add_up_to_a_hundred) {
  const std::vector<TimePart> thirds(3, {"x", microseconds(1), ""});
  const auto text = time_table(thirds);
  EXPECT_NE(text.find("33.3 %"), std::string::npos) << text;
  EXPECT_NE(text.find("33.4 %"), std::string::npos) << text;
  EXPECT_NE(text.find("100.0 %"), std::string::npos) << text;
}

TEST(TimeTable, of_nothing_has_no_shares) {
  EXPECT_EQ(time_table({}), "    total             0.000 ms      0.0 %\n");
}

}  // namespace
}  // namespace lmb::app
