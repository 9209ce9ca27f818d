#include "finish_rate.hpp"

#include <gtest/gtest.h>

#include "story.hpp"

namespace lmb::scheduling {
namespace {

const TimePoint start = TimePoint{} + 1h;

/// `count` requests one after the other, `each` long, back to back.
TimePoint run(FinishRate& rate, TimePoint from, int count, Duration each) {
  for (int i = 0; i < count; ++i) {
    rate.begin(from);
    from += each;
    rate.finish(from);
  }
  return from;
}

TEST(FinishRate, is_zero_before_the_first_finish) {
  FinishRate rate;
  EXPECT_EQ(rate.per_second(start), 0);
  rate.begin(start);
  EXPECT_EQ(rate.per_second(start + 10s), 0);
}

TEST(FinishRate, is_right_from_the_first_seconds) {
  FinishRate rate;
  const TimePoint end = run(rate, start, 5, 2s);
  EXPECT_NEAR(rate.per_second(end), 0.5, 0.05);
}

TEST(FinishRate, converges_to_the_steady_rate) {
  FinishRate rate;
  const TimePoint end = run(rate, start, 1000, 500ms);
  EXPECT_NEAR(rate.per_second(end), 2.0, 0.05);
}

TEST(FinishRate, idle_time_neither_counts_nor_fades) {
  FinishRate rate;
  const TimePoint end = run(rate, start, 100, 1s);
  const double before = rate.per_second(end);
  EXPECT_EQ(rate.per_second(end + 1h), before);
  run(rate, end + 1h, 1, 1s);
  EXPECT_NEAR(rate.per_second(end + 1h + 1s), before, 0.05);
}

TEST(FinishRate, work_without_a_finish_lowers_it) {
  FinishRate rate;
  const TimePoint end = run(rate, start, 100, 1s);
  rate.begin(end);
  EXPECT_LT(rate.per_second(end + 60s), rate.per_second(end) / 2);
  EXPECT_LT(rate.per_second(end + 600s), 0.01);
}

TEST(FinishRate, forgets_an_old_speed) {
  FinishRate rate;
  TimePoint end = run(rate, start, 600, 100ms);
  end = run(rate, end, 30, 10s);
  EXPECT_NEAR(rate.per_second(end), 0.1, 0.1);
}

TEST(FinishRate, requests_side_by_side_count_the_time_once) {
  FinishRate rate;
  TimePoint now = start;
  for (int i = 0; i < 50; ++i) {
    for (int k = 0; k < 4; ++k) {
      rate.begin(now);
    }
    now += 2s;
    for (int k = 0; k < 4; ++k) {
      rate.finish(now);
    }
  }
  EXPECT_NEAR(rate.per_second(now), 2.0, 0.1);
}

TEST(FinishRate, a_clock_that_steps_back_does_no_harm) {
  FinishRate rate;
  rate.begin(start);
  rate.finish(start - 5s);
  EXPECT_EQ(rate.per_second(start - 10s), 1.0);
}

}  // namespace
}  // namespace lmb::scheduling
