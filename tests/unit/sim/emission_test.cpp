#include "emission.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine_run.hpp"

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;

/// When each of `n` tokens leaves that are generated 10 ms apart.
std::vector<TimePoint> leave_times(int n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Emission emission;
  std::vector<TimePoint> out = {emission.first(test::start).at};
  for (int i = 1; i < n; ++i) {
    const auto burst = emission.next(test::start + i * 10ms, 10ms, i == n - 1, random);
    if (burst) out.insert(out.end(), burst->tokens, burst->at);
  }
  return out;
}

TEST(Emission, gaps_have_the_measured_shape) {
  const auto times = leave_times(50'001, 1);
  ASSERT_EQ(times.size(), 50'001u);
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) {
    gaps.push_back(test::seconds_of(times[i] - times[i - 1]) * 1000);
  }
  std::ranges::sort(gaps);
  const auto quantile = [&](double q) { return gaps[static_cast<std::size_t>(q * 50'000)] / 10; };
  EXPECT_GE(gaps.front(), 0);
  EXPECT_NEAR(quantile(0.90), 2.7, 0.15);
  EXPECT_NEAR(quantile(0.99), 5.0, 0.4);
  EXPECT_NEAR(test::seconds_of(times.back() - times.front()), 500, 0.5);  // The mean is kept.
}

TEST(Emission, nothing_leaves_before_it_is_generated_or_is_kept_back) {
  const auto times = leave_times(2'000, 7);
  ASSERT_EQ(times.size(), 2'000u);
  EXPECT_EQ(times[0], test::start);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i], test::start + static_cast<int>(i) * 10ms);
    EXPECT_LE(times[i], test::start + static_cast<int>(i) * 10ms + 200ms);
  }
}

}  // namespace
}  // namespace lmb::sim
