#include "lmb/net/bell.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "lmb/net/session_group.hpp"

namespace lmb::net {
namespace {

Task<void> wait_times(Bell& bell, int times, int& woken) {
  for (int i = 0; i < times; ++i) {
    co_await bell.wait();
    ++woken;
  }
}

class BellTest : public ::testing::Test {
 protected:
  void wait(int times) { group.spawn(wait_times(bell, times, woken)); }

  boost::asio::io_context context;
  SessionGroup group{[](const char* what) { FAIL() << what; }};
  Bell bell;
  int woken = 0;
};

TEST_F(BellTest, wakes_its_waiter_within_the_ring) {
  wait(1);
  context.poll();
  EXPECT_EQ(woken, 0);
  bell.ring();
  EXPECT_EQ(woken, 1) << "without another turn of the loop";
}

TEST_F(BellTest, keeps_a_ring_for_the_next_wait) {
  bell.ring();
  wait(1);
  context.poll();
  EXPECT_EQ(woken, 1);
}

TEST_F(BellTest, several_rings_before_a_wait_are_one) {
  bell.ring();
  bell.ring();
  wait(2);
  context.poll();
  EXPECT_EQ(woken, 1);
  bell.ring();
  EXPECT_EQ(woken, 2);
}

TEST_F(BellTest, can_be_waited_for_again_and_again) {
  wait(100);
  context.poll();
  for (int i = 0; i < 100; ++i) bell.ring();
  EXPECT_EQ(woken, 100);
  context.poll();
  EXPECT_EQ(group.active(), 0U);
}

}  // namespace
}  // namespace lmb::net
