#include "story.hpp"

namespace lmb::scheduling {
namespace {

TEST(QueueStory, first_come_first_served) {
  // One worker, one slot, taken.
  Story story({slots(1)});
  story.all_up().runs_on(0);
  // Two more arrive and wait.
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  EXPECT_EQ(story->queued(), 2U);
  // Each answer lets the older of them in.
  EXPECT_EQ(story.finish(0), granted({{first, WorkerId(0)}}));
  EXPECT_EQ(story.finish(0), granted({{second, WorkerId(0)}}));
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story->queued(), 0U);
  EXPECT_EQ(story.in_flight(0), 0U);
}

TEST(QueueStory, every_outcome_gives_the_slot_back) {
  for (const Outcome outcome : {Outcome::answered, Outcome::worker_fault, Outcome::abandoned}) {
    Story story({slots(1)});
    story.all_up().runs_on(0);
    const TicketId waiting = story.waits();
    EXPECT_EQ(story.finish(0, outcome).grants, (std::vector<GrantedTo>{{waiting, WorkerId(0)}}));
    EXPECT_EQ(story.in_flight(0), 1U);
    EXPECT_EQ(story.finish(0, outcome).grants, std::vector<GrantedTo>{});
    EXPECT_EQ(story.in_flight(0), 0U);
  }
}

TEST(QueueStory, a_full_queue_refuses) {
  SchedulerOptions options = plain_options();
  options.queue_length = 2;
  Story story({slots(1)}, options);
  story.all_up().runs_on(0);
  const TicketId first = story.waits();
  story.waits();
  story.is_refused(Refusal::queue_full);
  // One place becomes free again.
  EXPECT_TRUE(story->withdraw(first));
  story.waits();
  story.is_refused(Refusal::queue_full);
}

TEST(QueueStory, a_queue_of_length_zero_refuses_all_that_would_wait) {
  SchedulerOptions options = plain_options();
  options.queue_length = 0;
  Story story({slots(1)}, options);
  story.all_up().runs_on(0);
  story.is_refused(Refusal::queue_full);
}

TEST(QueueStory, one_that_left_is_skipped) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId leaver = story.waits();
  const TicketId stayer = story.waits();
  EXPECT_TRUE(story->withdraw(leaver));
  EXPECT_EQ(story.finish(0), granted({{stayer, WorkerId(0)}}));
}

TEST(QueueStory, the_race_between_leaving_and_being_granted_has_one_winner) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId ticket = story.waits();
  // The grant is decided; its message is still on the way when the client leaves.
  EXPECT_EQ(story.finish(0), granted({{ticket, WorkerId(0)}}));
  // The client is told that it comes too late: the slot is its own to give back.
  EXPECT_FALSE(story->withdraw(ticket));
  EXPECT_EQ(story.in_flight(0), 1U);
  EXPECT_EQ(story.finish(0, Outcome::abandoned), nothing);
  EXPECT_EQ(story.in_flight(0), 0U);
}

TEST(QueueStory, leaving_twice_is_told_once) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId ticket = story.waits();
  EXPECT_TRUE(story->withdraw(ticket));
  EXPECT_FALSE(story->withdraw(ticket));
  EXPECT_FALSE(story->withdraw(TicketId(4711)));
}

TEST(QueueStory, a_deadline_ends_the_wait) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId patient = story.waits("m", {}, 30s);
  const TicketId hasty = story.waits("m", {}, 10s);
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 10s);
  story.pass(10s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  EXPECT_EQ(story.tick(), refused({{hasty, Refusal::deadline}}));
  EXPECT_FALSE(story->withdraw(hasty));
  story.pass(1h);
  EXPECT_EQ(story.tick(), refused({{patient, Refusal::deadline}}));
  EXPECT_EQ(story->next_tick(story.now()), std::nullopt);
}

TEST(QueueStory, a_late_tick_refuses_in_the_order_of_the_deadlines) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId third = story.waits("m", {}, 3s);
  const TicketId first = story.waits("m", {}, 1s);
  const TicketId second = story.waits("m", {}, 2s);
  story.pass(1min);
  EXPECT_EQ(story.tick(), refused({{first, Refusal::deadline},
                                   {second, Refusal::deadline},
                                   {third, Refusal::deadline}}));
}

TEST(QueueStory, a_slot_that_comes_with_the_deadline_is_given_not_refused) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId ticket = story.waits("m", {}, 1s);
  story.pass(1s);
  EXPECT_EQ(story.finish(0), granted({{ticket, WorkerId(0)}}));
}

TEST(QueueStory, any_event_expires_what_is_overdue) {
  Story story({slots(1), slots(1)});
  story.all_up().runs_on(0);
  story.runs_on(1);
  const TicketId only_b = story.waits("m", workers({0}), 1s);
  story.pass(2s);
  // The slot of a is free, but the ticket has tried a.
  EXPECT_EQ(story.finish(0), refused({{only_b, Refusal::deadline}}));
}

TEST(QueueStory, a_deadline_in_the_past_may_run_but_not_wait) {
  Story story({slots(1)});
  story.all_up();
  story.runs_on(0, "m", {}, 0s);
  story.is_refused(Refusal::deadline, "m", {}, 0s);
}

TEST(QueueStory, a_freed_slot_skips_those_it_cannot_serve) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(0, {{"m", true}});
  (void)story.offer(1, {{"n", true}});
  story.runs_on(0, "m");
  story.runs_on(1, "n");
  const TicketId for_a = story.waits("m");
  const TicketId for_b = story.waits("n");
  // b has nothing for the older request, but serves the younger one.
  EXPECT_EQ(story.finish(1), granted({{for_b, WorkerId(1)}}));
  EXPECT_EQ(story.finish(0), granted({{for_a, WorkerId(0)}}));
}

TEST(QueueStory, age_counts_across_models_and_attempts) {
  Story story({slots_in_all(1), slots(1)});
  (void)story.offer(0, {{"m", true}, {"n", true}});
  (void)story.probe(0, true);
  story.runs_on(0);
  const TicketId n = story.waits("n");
  const TicketId m = story.waits("m");
  const TicketId second_try = story.waits("m", workers({1}));
  const TicketId n_again = story.waits("n");
  EXPECT_EQ(story.finish(0), granted({{n, WorkerId(0)}}));
  EXPECT_EQ(story.finish(0), granted({{m, WorkerId(0)}}));
  EXPECT_EQ(story.finish(0), granted({{second_try, WorkerId(0)}}));
  EXPECT_EQ(story.finish(0), granted({{n_again, WorkerId(0)}}));
}

TEST(QueueStory, closing_refuses_the_waiting_and_the_coming_but_not_the_running) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId first = story.waits("m");
  const TicketId second = story.waits("m", workers({7}));
  EXPECT_EQ(story.close(), refused({{first, Refusal::closed}, {second, Refusal::closed}}));
  story.is_refused(Refusal::closed);
  EXPECT_EQ(story.in_flight(0), 1U);
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.in_flight(0), 0U);
  story.is_refused(Refusal::closed);
  EXPECT_EQ(story.close(), nothing);
}

TEST(QueueStory, retry_after_follows_the_measured_rate_and_the_queue) {
  Story story({slots(1)});
  // Nobody is up: the grace that such requests are given.
  EXPECT_EQ(story->retry_after_seconds(story.now()), 5U);
  story.all_up();
  // A slot is free.
  EXPECT_EQ(story->retry_after_seconds(story.now()), 1U);
  // Nothing finished yet.
  story.runs_on(0);
  EXPECT_EQ(story->retry_after_seconds(story.now()), 5U);
  // One answer in 4 s, again and again, with three that wait.
  for (int i = 0; i < 3; ++i) {
    story.waits();
  }
  for (int i = 0; i < 50; ++i) {
    story.waits();
    story.pass(4s);
    (void)story.finish(0);
  }
  EXPECT_EQ(story->queued(), 3U);
  EXPECT_NEAR(story->retry_after_seconds(story.now()), 16, 1);
  // It never says more than a minute, and it says so when the fleet stands still.
  story.pass(1h);
  EXPECT_EQ(story->retry_after_seconds(story.now()), 60U);
}

}  // namespace
}  // namespace lmb::scheduling
