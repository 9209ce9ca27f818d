#include "lmb/net/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "lmb/net/arrival.hpp"
#include "lmb/net/bell.hpp"
#include "lmb/net/session_group.hpp"

namespace lmb::net {
namespace {

Task<int> at_once(int value) {
  co_return value;
}

Task<int> after_ring(Bell& bell, int value) {
  co_await bell.wait();
  co_return value;
}

Task<void> add_up(Bell& bell, int times, int& sum) {
  for (int i = 0; i < times; ++i) {
    const int ready = co_await at_once(1);
    const int rung = co_await after_ring(bell, 10);
    sum += ready + rung;
  }
}

Task<void> add_up_without_waits(int times, long& sum) {
  for (int i = 0; i < times; ++i) {
    const int one = co_await at_once(1);
    sum += one;
  }
}

Task<int> fail_after_ring(Bell& bell) {
  co_await bell.wait();
  throw std::runtime_error("on purpose");
  co_return 0;
}

Task<void> catch_it(Bell& bell, std::string& caught) {
  try {
    const int never = co_await fail_after_ring(bell);
    caught = std::to_string(never);
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
}

Task<std::unique_ptr<int>> make_box(int value) {
  co_return std::make_unique<int>(value);
}

Task<void> open_box(int& inside) {
  const auto box = co_await make_box(7);
  inside = *box;
}

struct Tracer {
  Tracer(std::vector<std::string>& its_trace, std::string its_name)
      : trace(its_trace), name(std::move(its_name)) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() { trace.push_back(name); }
  std::vector<std::string>& trace;
  std::string name;
};

Task<void> inner(std::vector<std::string>& trace) {
  Bell bell;
  const Tracer tracer(trace, "inner");
  co_await bell.wait();
}

Task<void> outer(std::vector<std::string>& trace) {
  const Tracer tracer(trace, "outer");
  co_await inner(trace);
}

class TaskTest : public ::testing::Test {
 protected:
  SessionGroup group{[](const char* what) { FAIL() << what; }};
  Bell bell;
};

TEST_F(TaskTest, hands_values_through_waits_and_without_them) {
  int sum = 0;
  group.spawn(add_up(bell, 3, sum));
  EXPECT_EQ(sum, 0);
  bell.ring();
  EXPECT_EQ(sum, 11);
  bell.ring();
  bell.ring();
  EXPECT_EQ(sum, 33);
  EXPECT_EQ(group.active(), 0U);
}

TEST_F(TaskTest, a_million_tasks_that_never_wait_need_no_stack) {
  long sum = 0;
  group.spawn(add_up_without_waits(1'000'000, sum));
  EXPECT_EQ(sum, 1'000'000);
}

TEST_F(TaskTest, an_exception_reaches_the_caller_across_a_wait) {
  std::string caught;
  group.spawn(catch_it(bell, caught));
  bell.ring();
  EXPECT_EQ(caught, "on purpose");
}

TEST_F(TaskTest, carries_values_that_can_only_move) {
  int inside = 0;
  group.spawn(open_box(inside));
  EXPECT_EQ(inside, 7);
}

TEST_F(TaskTest, dropping_a_session_destroys_its_frames_from_the_inside_out) {
  std::vector<std::string> trace;
  group.spawn(outer(trace));
  group.spawn(outer(trace));
  EXPECT_EQ(group.active(), 2U);
  EXPECT_EQ(group.drop(), 2U);
  EXPECT_EQ(group.active(), 0U);
  EXPECT_EQ(trace, (std::vector<std::string>{"inner", "outer", "inner", "outer"}));
}

TEST_F(TaskTest, a_bell_forgets_a_waiter_that_was_dropped) {
  int sum = 0;
  group.spawn(add_up(bell, 1, sum));
  group.drop();
  bell.ring();
  EXPECT_EQ(sum, 0);
}

TEST_F(TaskTest, a_task_that_nobody_awaits_never_begins) {
  std::vector<std::string> trace;
  { const auto never = outer(trace); }
  EXPECT_TRUE(trace.empty());
}

Task<void> receive(std::shared_ptr<Arrival<int>> arrival, int& received) {
  received = co_await wait_for(std::move(arrival));
}

TEST_F(TaskTest, a_value_that_arrives_before_or_after_the_wait_is_received) {
  int early = 0;
  int late = 0;
  auto arrival = std::make_shared<Arrival<int>>();
  arrival->value = 1;
  arrival->arrive();
  group.spawn(receive(arrival, early));
  EXPECT_EQ(early, 1);
  arrival = std::make_shared<Arrival<int>>();
  group.spawn(receive(arrival, late));
  EXPECT_EQ(late, 0);
  arrival->value = 2;
  arrival->arrive();
  EXPECT_EQ(late, 2);
}

TEST_F(TaskTest, a_value_for_a_dropped_task_is_dropped_too) {
  int received = 0;
  auto arrival = std::make_shared<Arrival<int>>();
  group.spawn(receive(arrival, received));
  group.drop();
  arrival->value = 1;
  arrival->arrive();
  EXPECT_EQ(received, 0);
}

}  // namespace
}  // namespace lmb::net
