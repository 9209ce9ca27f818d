#include "pace.hpp"

#include <gtest/gtest.h>

namespace lmb::scheduling {
namespace {

using namespace std::chrono_literals;

TEST(DurationSpread, tells_quantiles_to_a_quarter_octave) {
  DurationSpread spread;
  for (int i = 1; i <= 100; ++i) {
    spread.add(i * 10ms);
  }
  EXPECT_GE(spread.quantile(0.5), 500ms);
  EXPECT_LE(spread.quantile(0.5), 600ms);
  EXPECT_GE(spread.quantile(0.99), 990ms);
  EXPECT_LE(spread.quantile(0.99), 1200ms);
}

TEST(DurationSpread, forgets_what_was_long_ago) {
  DurationSpread spread;
  for (int i = 0; i < 5000; ++i) {
    spread.add(10s);
  }
  for (int i = 0; i < 10'000; ++i) {
    spread.add(1s);
  }
  EXPECT_LE(spread.quantile(0.9), 1200ms);
}

TEST(DurationSpread, takes_any_value) {
  DurationSpread spread;
  spread.add(0ns);
  spread.add(Duration::max());
  EXPECT_LE(spread.quantile(0.5), 2us);
  EXPECT_GE(spread.quantile(1), 18h);
}

TEST(Pace, tells_nothing_before_twenty_answers) {
  Pace pace;
  for (int i = 0; i < 19; ++i) {
    pace.first_token(1000, 1s);
  }
  EXPECT_FALSE(pace.prefill(1000));
  pace.first_token(1000, 1s);
  EXPECT_TRUE(pace.prefill(1000));
  EXPECT_FALSE(pace.longest_gap());
}

TEST(Pace, scales_with_the_prompt) {
  Pace pace;
  for (int i = 0; i < 20; ++i) {
    pace.first_token(3500, 4s);
  }
  EXPECT_GE(*pace.prefill(3500), 4s);
  EXPECT_LE(*pace.prefill(3500), 4800ms);
  EXPECT_NEAR(std::chrono::duration<double>(*pace.prefill(7500)).count(),
              2 * std::chrono::duration<double>(*pace.prefill(3500)).count(), 0.001);
}

}  // namespace
}  // namespace lmb::scheduling
