#include "story.hpp"

namespace lmb::scheduling {
namespace {

// Defaults: startup_grace 10 s, no_worker_grace 5 s, three failures take a worker down.

TEST(StartupStory, requests_wait_for_a_worker_that_is_starting) {
  Story story({slots(1)});
  const TicketId waiting = story.waits();
  story.pass(9s);
  EXPECT_EQ(story.tick(), nothing);
  (void)story.offer(0, {{"m", true}});
  EXPECT_EQ(story.probe(0, true), (Told{{{waiting, WorkerId(0)}},
                                        {},
                                        {{WorkerId(0), WorkerState::starting, WorkerState::up}}}));
}

TEST(StartupStory, the_grace_for_no_worker_begins_when_the_startup_ends) {
  Story story({slots(1)});
  story.pass(1s);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 9s) << "the end of the startup grace";
  story.pass(9s);
  EXPECT_EQ(story.tick(), nothing);
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 5s);
  story.pass(5s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, a_late_tick_counts_from_the_end_of_the_startup_not_from_itself) {
  Story story({slots(1)});
  const TicketId waiting = story.waits();
  story.pass(15s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, a_worker_given_up_ends_the_hope_before_the_startup_does) {
  Story story({slots(1)});
  const TicketId waiting = story.waits();
  story.pass(2s);
  EXPECT_EQ(story.take_down(0), changed({{WorkerId(0), WorkerState::starting, WorkerState::down}}));
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 5s);
  story.pass(5s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, one_worker_still_starting_keeps_the_hope) {
  Story story({slots(1), slots(1)});
  const TicketId waiting = story.waits();
  (void)story.take_down(0);
  story.pass(9s);
  EXPECT_EQ(story.tick(), nothing);
  (void)story.offer(1, {{"m", true}});
  EXPECT_EQ(story.probe(1, true).grants, (std::vector<GrantedTo>{{waiting, WorkerId(1)}}));
}

TEST(StartupStory, a_starting_worker_known_to_lack_the_model_is_no_hope) {
  Story story({slots(1), slots(1)});
  (void)story.offer(0, {{"other", true}});
  (void)story.take_down(1);
  const TicketId waiting = story.waits();
  story.pass(5s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, nor_is_one_that_is_draining_or_tried) {
  Story story({slots(1), slots(1)});
  (void)story.drain(0, true);
  const TicketId waiting = story.waits("m", workers({1}));
  story.pass(5s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, a_worker_that_is_up_but_not_yet_read_is_hope_and_gets_nothing) {
  Story story({slots(1)});
  (void)story.probe(0, true);
  EXPECT_FALSE(story->any_up());
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.tick(), nothing);
  EXPECT_EQ(story.offer(0, {{"m", true}}), granted({{waiting, WorkerId(0)}}));
  EXPECT_TRUE(story->any_up());
}

TEST(StartupStory, a_worker_that_goes_down_strands_those_that_wait_for_it) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  story.pass(1min);
  EXPECT_EQ(story.tick(), nothing) << "a full worker is no reason";
  EXPECT_EQ(story.take_down(0), changed({{WorkerId(0), WorkerState::suspect, WorkerState::down}}));
  story.pass(5s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, a_worker_that_comes_back_full_ends_the_stranding) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  (void)story.take_down(0);
  story.pass(4s);
  (void)story.probe(0, true);
  EXPECT_EQ(story.probe(0, true), changed({{WorkerId(0), WorkerState::down, WorkerState::up}}));
  story.pass(1min);
  EXPECT_EQ(story.tick(), nothing);
  // Going down once more begins the count anew.
  (void)story.take_down(0);
  story.pass(4s);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, each_request_has_its_own_grace) {
  Story story({slots(1)});
  story.all_up();
  (void)story.take_down(0);
  const TicketId first = story.waits();
  story.pass(2s);
  const TicketId second = story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 3s);
  story.pass(3s);
  EXPECT_EQ(story.tick(), refused({{first, Refusal::no_worker}}));
  story.pass(2s);
  EXPECT_EQ(story.tick(), refused({{second, Refusal::no_worker}}));
}

TEST(StartupStory, never_past_the_deadline) {
  Story story({slots(1)});
  story.all_up();
  (void)story.take_down(0);
  const TicketId hasty = story.waits("m", {}, 2s);
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 2s);
  story.pass(2s);
  EXPECT_EQ(story.tick(), refused({{hasty, Refusal::deadline}}));
}

TEST(StartupStory, a_drained_fleet_is_no_fleet) {
  Story story({slots(1)});
  story.all_up();
  (void)story.drain(0, true);
  const TicketId waiting = story.waits();
  story.pass(5s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, no_grace_means_no_wait) {
  SchedulerOptions options = plain_options();
  options.startup_grace = 0s;
  options.no_worker_grace = 0s;
  Story story({slots(1)}, options);
  story.is_refused(Refusal::no_worker);
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.take_down(0), (Told{{},
                                      {{waiting, Refusal::no_worker}},
                                      {{WorkerId(0), WorkerState::suspect, WorkerState::down}}}));
}

TEST(StartupStory, a_worker_starting_after_the_grace_is_as_good_as_down) {
  Story story({slots(1)});
  story.pass(1min);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 5s);
  story.pass(5s);
  EXPECT_EQ(story.tick(), refused({{waiting, Refusal::no_worker}}));
}

TEST(StartupStory, a_moved_scheduler_goes_on) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  Scheduler moved = std::move(*story.operator->());
  const Effects effects = moved.finish(story.last_slot(0), Outcome::answered, story.now());
  ASSERT_EQ(effects.grants.size(), 1U);
  EXPECT_EQ(effects.grants[0].ticket, waiting);
}

}  // namespace
}  // namespace lmb::scheduling
