#include "health.hpp"

#include <gtest/gtest.h>

#include "printing.hpp"

namespace lmb::scheduling {
namespace {

Health up_with(HealthOptions options) {
  Health health(options);
  health.observe(true);
  return health;
}

TEST(Health, at_start_the_first_success_is_enough) {
  Health health({.failures_down = 3, .successes_up = 5});
  EXPECT_EQ(health.state(), WorkerState::starting);
  EXPECT_TRUE(health.observe(true));
  EXPECT_EQ(health.state(), WorkerState::up);
}

TEST(Health, a_start_is_given_up_after_the_failures_that_take_a_worker_down) {
  Health health({.failures_down = 2, .successes_up = 1});
  EXPECT_FALSE(health.observe(false));
  EXPECT_EQ(health.state(), WorkerState::starting);
  EXPECT_TRUE(health.observe(false));
  EXPECT_EQ(health.state(), WorkerState::down);
}

TEST(Health, only_failures_in_a_row_take_it_down) {
  Health health = up_with({.failures_down = 3, .successes_up = 2});
  EXPECT_FALSE(health.observe(false));
  EXPECT_FALSE(health.observe(false));
  EXPECT_FALSE(health.observe(true));
  EXPECT_FALSE(health.observe(false));
  EXPECT_FALSE(health.observe(false));
  EXPECT_EQ(health.state(), WorkerState::up);
  EXPECT_TRUE(health.observe(false));
  EXPECT_EQ(health.state(), WorkerState::down);
}

TEST(Health, only_successes_in_a_row_bring_it_back) {
  Health health = up_with({.failures_down = 1, .successes_up = 2});
  EXPECT_TRUE(health.observe(false));
  EXPECT_FALSE(health.observe(true));
  EXPECT_FALSE(health.observe(false));
  EXPECT_FALSE(health.observe(true));
  EXPECT_EQ(health.state(), WorkerState::down);
  EXPECT_TRUE(health.observe(true));
  EXPECT_EQ(health.state(), WorkerState::up);
}

TEST(Health, observations_that_agree_with_the_state_change_nothing) {
  Health health = up_with({.failures_down = 2, .successes_up = 2});
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(health.observe(true));
  }
  EXPECT_FALSE(health.observe(false));
  EXPECT_TRUE(health.observe(false));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(health.observe(false));
  }
  EXPECT_EQ(health.state(), WorkerState::down);
}

}  // namespace
}  // namespace lmb::scheduling
