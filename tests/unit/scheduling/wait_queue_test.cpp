#include "wait_queue.hpp"

#include <gtest/gtest.h>

#include "story.hpp"

namespace lmb::scheduling {
namespace {

const TimePoint start = TimePoint{} + 1h;
const LaneKey lane_m{ModelId(1), {}};
const LaneKey lane_n{ModelId(2), {}};
const LaneKey lane_m_tried{ModelId(1), workers({0})};

TEST(WaitQueue, numbers_rise_with_arrival_and_are_never_used_again) {
  WaitQueue queue;
  const TicketId first = queue.push(lane_m, start, start + 1s);
  EXPECT_TRUE(queue.remove(first));
  const TicketId second = queue.push(lane_m, start, start + 1s);
  EXPECT_LT(first, second);
}

TEST(WaitQueue, same_model_and_same_tried_workers_share_a_lane) {
  WaitQueue queue;
  const TicketId first = queue.push(lane_m, start, start + 1s);
  queue.push(lane_m, start, start + 1s);
  queue.push(lane_m_tried, start, start + 1s);
  queue.push(lane_n, start, start + 1s);
  EXPECT_EQ(queue.lanes().size(), 3U);
  EXPECT_EQ(queue.size(), 4U);
  EXPECT_EQ(queue.lane_of(first).tickets.size(), 2U);
  EXPECT_TRUE(queue.consistent());
}

TEST(WaitQueue, a_ticket_is_taken_out_once) {
  WaitQueue queue;
  const TicketId first = queue.push(lane_m, start, start + 1s);
  const TicketId second = queue.push(lane_m, start, start + 1s);
  const auto key = queue.remove(first);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->model, lane_m.model);
  EXPECT_FALSE(queue.remove(first));
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_TRUE(queue.remove(second));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.lanes().empty());
  EXPECT_TRUE(queue.consistent());
  EXPECT_FALSE(queue.next_expiry(1s));
}

TEST(WaitQueue, the_earliest_deadline_expires_first_whatever_the_lane) {
  WaitQueue queue;
  const TicketId late = queue.push(lane_m, start, start + 3s);
  const TicketId early = queue.push(lane_n, start, start + 1s);
  ASSERT_TRUE(queue.next_expiry(1h));
  EXPECT_EQ(queue.next_expiry(1h)->ticket, early);
  EXPECT_EQ(queue.next_expiry(1h)->at, start + 1s);
  EXPECT_FALSE(queue.next_expiry(1h)->stranded);
  queue.remove(early);
  EXPECT_EQ(queue.next_expiry(1h)->ticket, late);
}

TEST(WaitQueue, grace_counts_from_stranding_or_arrival_whichever_is_later) {
  WaitQueue queue;
  const TicketId before = queue.push(lane_m, start, start + 1h);
  queue.lane_of(before).stranded_since = start + 2s;
  const TicketId after = queue.push(lane_m, start + 4s, start + 1h);
  const auto first = queue.next_expiry(5s);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->ticket, before);
  EXPECT_EQ(first->at, start + 7s);
  EXPECT_TRUE(first->stranded);
  queue.remove(before);
  const auto second = queue.next_expiry(5s);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->ticket, after);
  EXPECT_EQ(second->at, start + 9s);
}

TEST(WaitQueue, a_deadline_comes_before_a_later_grace_and_after_an_equal_one) {
  WaitQueue queue;
  const TicketId ticket = queue.push(lane_m, start, start + 5s);
  queue.lane_of(ticket).stranded_since = start;
  EXPECT_FALSE(queue.next_expiry(6s)->stranded);
  EXPECT_EQ(queue.next_expiry(6s)->at, start + 5s);
  EXPECT_TRUE(queue.next_expiry(5s)->stranded);
}

TEST(WaitQueue, an_endless_grace_is_never) {
  WaitQueue queue;
  const TicketId ticket = queue.push(lane_m, start, TimePoint::max());
  queue.lane_of(ticket).stranded_since = start;
  EXPECT_EQ(queue.next_expiry(Duration::max())->at, TimePoint::max());
}

}  // namespace
}  // namespace lmb::scheduling
