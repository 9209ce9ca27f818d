#include "lmb/net/deadline.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "lmb/base/manual_clock.hpp"
#include "lmb/net/session_group.hpp"

namespace lmb::net {
namespace {

using std::chrono::milliseconds;

TEST(Deadline, passes_at_its_time_and_not_before) {
  DeadlineList list;
  Bell bell;
  Deadline deadline(list, bell);
  const auto now = Clock::now();
  deadline.set(now + milliseconds(10));
  list.tick(now + milliseconds(9));
  EXPECT_FALSE(deadline.passed());
  list.tick(now + milliseconds(10));
  EXPECT_TRUE(deadline.passed());
}

TEST(Deadline, can_be_moved_and_cleared) {
  DeadlineList list;
  Bell bell;
  Deadline deadline(list, bell);
  const auto now = Clock::now();
  deadline.set(now + milliseconds(10));
  deadline.set(now + milliseconds(50));
  list.tick(now + milliseconds(20));
  EXPECT_FALSE(deadline.passed());
  deadline.clear();
  list.tick(now + milliseconds(100));
  EXPECT_FALSE(deadline.passed());
  deadline.set(TimePoint::max());
  list.tick(now + std::chrono::hours(1));
  EXPECT_FALSE(deadline.passed());
}

TEST(Deadline, setting_it_again_forgets_that_it_passed) {
  DeadlineList list;
  Bell bell;
  Deadline deadline(list, bell);
  const auto now = Clock::now();
  deadline.set(now);
  list.tick(now);
  EXPECT_TRUE(deadline.passed());
  deadline.set(now + milliseconds(1));
  EXPECT_FALSE(deadline.passed());
}

TEST(Deadline, leaves_the_list_when_destroyed) {
  DeadlineList list;
  Bell bell;
  const auto now = Clock::now();
  {
    Deadline deadline(list, bell);
    deadline.set(now);
  }
  list.tick(now);
}

Task<void> wait_and_drop(Bell& bell, std::vector<std::unique_ptr<Deadline>>& all) {
  co_await bell.wait();
  all.clear();
}

TEST(Deadline, a_woken_coroutine_may_destroy_others_that_passed_in_the_same_tick) {
  boost::asio::io_context context;
  SessionGroup group([](const char* what) { FAIL() << what; });
  DeadlineList list;
  Bell bell;
  std::vector<std::unique_ptr<Deadline>> all;
  const auto now = Clock::now();
  for (int i = 0; i < 5; ++i) {
    all.push_back(std::make_unique<Deadline>(list, bell));
    all.back()->set(now);
  }
  group.spawn(wait_and_drop(bell, all));
  context.poll();
  list.tick(now);
  EXPECT_TRUE(all.empty());
  context.poll();
}

}  // namespace
}  // namespace lmb::net
