// A slot from its grant to its return: Acquisition and Lease.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <utility>
#include <vector>

#include "two_shards.hpp"

namespace lmb::dispatch {
namespace {

using Outcome = scheduling::Outcome;
using scheduling::WorkerState;

TEST_F(TwoShards, a_free_slot_is_given_at_once_without_a_turn_of_any_loop) {
  start(2, 1);
  auto waiter = wait_on(1);
  ASSERT_TRUE(waiter.settled());
  auto lease = waiter.acquisition->take();
  ASSERT_TRUE(lease.has_value());
  EXPECT_TRUE(lease->held());
  EXPECT_EQ(in_flight(), 1U);
  EXPECT_EQ(dispatcher->snapshot().workers[lease->worker().value()].in_flight, 1U);
  EXPECT_EQ(turn(a) + turn(b), 0U);
  EXPECT_FALSE(take_ring(waiter.bell)) << "nobody waits, so nothing needs to ring";
}

TEST_F(TwoShards, a_lease_that_nobody_took_goes_back_with_its_acquisition) {
  start(1, 1);
  {
    auto waiter = wait_on(0);
    EXPECT_EQ(in_flight(), 1U);
  }
  EXPECT_EQ(in_flight(), 0U);
}

TEST_F(TwoShards, a_lease_gives_its_slot_back_once) {
  start(1, 4);
  auto other = hold_a_slot();
  {
    auto lease = hold_a_slot();
    EXPECT_EQ(in_flight(), 2U);
    lease.finish(Outcome::answered);
    EXPECT_FALSE(lease.held());
    EXPECT_EQ(in_flight(), 1U);
    lease.finish(Outcome::answered);
    EXPECT_EQ(in_flight(), 1U) << "a second finish took the other one's slot";
  }
  EXPECT_EQ(in_flight(), 1U) << "the destructor of a finished lease took the other one's slot";
}

TEST_F(TwoShards, a_moved_lease_is_one_lease) {
  start(1, 4);
  auto first = hold_a_slot();
  Lease second(std::move(first));
  EXPECT_FALSE(first.held());  // NOLINT(bugprone-use-after-move): what is left is specified
  EXPECT_TRUE(second.held());
  EXPECT_EQ(in_flight(), 1U);
  auto third = hold_a_slot();
  EXPECT_EQ(in_flight(), 2U);
  third = std::move(second);
  EXPECT_EQ(in_flight(), 1U) << "what is assigned over is given back";
  EXPECT_TRUE(third.held());
  first.finish(Outcome::answered);
  EXPECT_EQ(in_flight(), 1U);
  third = Lease();
  EXPECT_EQ(in_flight(), 0U);
}

TEST_F(TwoShards, faults_told_by_leases_open_the_breaker_and_abandoned_ones_do_not) {
  start(1, 4);
  const auto open = [this] { return dispatcher->snapshot().workers[0].breaker_until.has_value(); };
  for (int i = 0; i < 10; ++i) hold_a_slot().finish(Outcome::abandoned);
  EXPECT_FALSE(open());
  hold_a_slot().finish(Outcome::worker_fault);
  hold_a_slot().finish(Outcome::worker_fault);
  hold_a_slot().finish(Outcome::answered);
  hold_a_slot().finish(Outcome::worker_fault);
  hold_a_slot().finish(Outcome::worker_fault);
  EXPECT_FALSE(open()) << "an answer begins the count anew";
  hold_a_slot().finish(Outcome::worker_fault);
  EXPECT_TRUE(open());
  EXPECT_TRUE(dispatcher->any_up()) << "the last one is used all the same";
}

TEST_F(TwoShards, a_freed_slot_reaches_its_waiter_on_the_waiters_own_shard) {
  start(1, 1);
  auto running = hold_a_slot();
  auto waiter = wait_on(1);
  EXPECT_FALSE(waiter.settled());
  EXPECT_EQ(queued(), 1U);
  running.finish(Outcome::answered);
  EXPECT_EQ(queued(), 0U) << "it is granted, only not delivered";
  EXPECT_EQ(in_flight(), 1U);
  EXPECT_EQ(turn(a), 0U);
  EXPECT_FALSE(waiter.settled()) << "delivered by a foreign shard";
  EXPECT_EQ(turn(b), 1U);
  EXPECT_TRUE(waiter.settled());
  EXPECT_TRUE(take_ring(waiter.bell));
  auto lease = waiter.acquisition->take();
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->worker(), w0);
}

TEST_F(TwoShards, who_leaves_the_queue_is_granted_nothing) {
  start(1, 1);
  auto running = hold_a_slot();
  auto waiter = wait_on(1);
  waiter.leave();
  EXPECT_EQ(queued(), 0U);
  running.finish(Outcome::answered);
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_EQ(turn(a) + turn(b), 0U);
}

TEST_F(TwoShards, a_grant_that_finds_its_waiter_gone_goes_to_the_next_one) {
  start(1, 1);
  auto running = hold_a_slot();
  auto gone = wait_on(0);
  auto next = wait_on(1);
  running.finish(Outcome::answered);
  gone.leave();
  EXPECT_EQ(in_flight(), 1U) << "the grant is still on its way and holds the slot";
  EXPECT_FALSE(next.settled());
  EXPECT_EQ(turn(b), 0U);
  EXPECT_EQ(turn(a), 1U);
  EXPECT_EQ(turn(b), 1U);
  ASSERT_TRUE(next.settled());
  EXPECT_TRUE(next.acquisition->take().has_value());
  EXPECT_EQ(queued(), 0U);
}

TEST_F(TwoShards, grants_that_find_everybody_gone_leave_nothing_behind) {
  start(2, 2);
  std::vector<Lease> running;
  for (int i = 0; i < 4; ++i) running.push_back(hold_a_slot());
  std::list<Waiter> waiting;
  for (std::size_t i = 0; i < 8; ++i) waiting.emplace_back(*dispatcher, i % 2, patient());
  running.clear();
  waiting.clear();
  while (turn(a) + turn(b) > 0) {
  }
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_EQ(queued(), 0U);
  EXPECT_TRUE(wait_on(0).settled()) << "the slots are free again";
}

TEST_F(TwoShards, a_refusal_that_finds_its_waiter_gone_harms_nobody) {
  start(1, 1);
  const auto running = hold_a_slot();
  auto gone = wait_on(0);
  dispatcher->close();
  gone.leave();
  EXPECT_EQ(turn(a), 1U);
  EXPECT_EQ(in_flight(), 1U);
}

TEST_F(TwoShards, waiters_of_both_shards_are_served_in_the_order_they_came) {
  start(1, 1);
  auto running = hold_a_slot();
  std::list<Waiter> waiting;
  for (const std::size_t shard : {1U, 0U, 0U, 1U}) {
    waiting.emplace_back(*dispatcher, shard, patient());
  }
  while (!waiting.empty()) {
    running.finish(Outcome::answered);
    turn(a);
    turn(b);
    ASSERT_TRUE(waiting.front().settled()) << waiting.size() << " wait";
    const auto settled = std::count_if(waiting.begin(), waiting.end(),
                                       [](const Waiter& each) { return each.settled(); });
    EXPECT_EQ(settled, 1) << waiting.size() << " wait";
    running = waiting.front().acquisition->take().value();
    waiting.pop_front();
  }
}

TEST_F(TwoShards, two_waiters_of_one_bell_are_told_apart) {
  start(1, 1);
  auto running = hold_a_slot();
  net::Bell bell;
  const Acquisition first(*dispatcher, 0, patient(), bell);
  const Acquisition second(*dispatcher, 0, patient(), bell);
  running.finish(Outcome::answered);
  turn(a);
  EXPECT_TRUE(take_ring(bell));
  EXPECT_TRUE(first.settled());
  EXPECT_FALSE(second.settled());
}

}  // namespace
}  // namespace lmb::dispatch
