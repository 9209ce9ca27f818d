#include "lmb/bench/distribution.hpp"

#include <gtest/gtest.h>

namespace lmb::bench {
namespace {

using std::chrono::milliseconds;

/// 1 ms, 2 ms ... n ms, in descending order.
Distribution up_to(int n) {
  std::vector<Duration> samples;
  for (int i = n; i >= 1; --i) samples.emplace_back(milliseconds(i));
  return Distribution(std::move(samples));
}

TEST(Distribution, takes_percentiles_by_nearest_rank) {
  // The example of the method's usual definition: of 15 20 35 40 50.
  const Distribution five(
      {milliseconds(40), milliseconds(15), milliseconds(50), milliseconds(20), milliseconds(35)});
  EXPECT_EQ(five.percentile(5), milliseconds(15));
  EXPECT_EQ(five.percentile(30), milliseconds(20));
  EXPECT_EQ(five.percentile(40), milliseconds(20));
  EXPECT_EQ(five.percentile(50), milliseconds(35));
  EXPECT_EQ(five.percentile(100), milliseconds(50));
}

TEST(Distribution, never_invents_a_value_between_samples) {
  const Distribution two({milliseconds(1), milliseconds(1000)});
  EXPECT_EQ(two.percentile(50), milliseconds(1));
  EXPECT_EQ(two.percentile(51), milliseconds(1000));
}

TEST(Distribution, is_exact_at_the_sizes_that_support_p95_and_p99) {
  EXPECT_EQ(up_to(20).percentile(95), milliseconds(19));
  EXPECT_EQ(up_to(100).percentile(99), milliseconds(99));
  EXPECT_EQ(up_to(1000).percentile(99), milliseconds(990));
}

TEST(Distribution, says_when_a_percentile_is_only_the_maximum) {
  EXPECT_FALSE(up_to(19).supports(95));
  EXPECT_TRUE(up_to(20).supports(95));
  EXPECT_FALSE(up_to(99).supports(99));
  EXPECT_TRUE(up_to(100).supports(99));
  EXPECT_FALSE(up_to(100000).supports(100));
}

TEST(Distribution, knows_mean_deviation_and_ends) {
  const Distribution four({milliseconds(2), milliseconds(4), milliseconds(4), milliseconds(6)});
  EXPECT_EQ(four.mean(), milliseconds(4));
  EXPECT_NEAR(static_cast<double>(four.standard_deviation().count()), 1.632993e6, 1);
  EXPECT_EQ(four.min(), milliseconds(2));
  EXPECT_EQ(four.max(), milliseconds(6));
}

TEST(Distribution, is_all_zero_without_samples) {
  const Distribution none;
  EXPECT_EQ(none.mean(), Duration::zero());
  EXPECT_EQ(none.standard_deviation(), Duration::zero());
  EXPECT_EQ(none.percentile(50), Duration::zero());
  EXPECT_FALSE(none.supports(50));
}

}  // namespace
}  // namespace lmb::bench
