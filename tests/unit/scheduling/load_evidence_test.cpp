// What tells that a load runs, is over, or never began.
#include "story.hpp"

namespace lmb::scheduling {
namespace {

Report unavailable() {
  return Outcome::model_unavailable;
}

TEST(LoadEvidence, an_answer_proves_that_the_model_is_there_before_the_list_shows_it) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, {{"m", false}});
  const Slot leader = story.runs_on(0);
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  story.pass(3s);
  EXPECT_EQ(story.first_token(leader), nothing) << "its one slot is taken, and 1 must not load";
  EXPECT_EQ(story.finish(leader), granted({{first, WorkerId(0)}}));
  EXPECT_TRUE(story->loading(WorkerId(0))) << "the list is still looked at";
  EXPECT_EQ(story.offer(0, {{"m", true}}), granted({{second, WorkerId(0)}}));
  EXPECT_FALSE(story->loading(WorkerId(0)));
}

TEST(LoadEvidence, nobody_leaves_a_load_that_will_be_done_sooner_than_his_own) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, {{"m", false}});
  story.runs_on(0);
  story.pass(10s);
  const TicketId follower = story.waits();
  story.pass(20s - 1ns);
  EXPECT_EQ(story.tick(), nothing) << "loads take 15 s";
  story.pass(1ns);
  EXPECT_EQ(story.tick(), granted({{follower, WorkerId(1)}})) << "twice as long";
}

TEST(LoadEvidence, a_model_that_was_just_loaded_is_not_evicted_by_what_an_old_list_shows) {
  Story story({slots(2)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"old", true}, {"new", false}});
  const Slot leader = std::get<Slot>(story.submit("new"));
  EXPECT_TRUE(leader.cold);
  const TicketId old = std::get<TicketId>(story.submit("old"));
  EXPECT_EQ(story.first_token(leader), nothing) << "LM Studio would load it again, and evict new";
  story.pass(10s);
  EXPECT_EQ(story.tick(), granted({{old, WorkerId(0)}})) << "ten looks showed nothing new";
}

TEST(LoadEvidence, a_name_that_a_route_does_not_take_is_no_failed_load) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  Report wrong = unavailable();
  wrong.load_tried = false;
  (void)story.finish(story.runs_on(0), wrong);
  EXPECT_TRUE(story.runs_on(0).cold);
}

TEST(LoadEvidence, tells_when_the_model_is_tried_again) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  EXPECT_EQ(story->loadable_at("m"), std::nullopt);
  (void)story.finish(story.runs_on(0), unavailable());
  EXPECT_EQ(story->loadable_at("m"), story.now() + 30s);
}

TEST(LoadEvidence, a_worker_that_could_not_be_asked_has_failed_no_load) {
  for (const Outcome outcome : {Outcome::worker_fault, Outcome::abandoned}) {
    Story story = fleet_of_two();
    (void)story.offer(0, {{"m", false}});
    (void)story.offer(1, Offers{});
    const Slot leader = story.runs_on(0);
    const TicketId follower = story.waits();
    EXPECT_EQ(story.finish(leader, outcome).grants,
              (std::vector<GrantedTo>{{follower, WorkerId(0)}}));
    EXPECT_TRUE(story.last_slot(0).cold) << "its turn to begin the load";
  }
}

}  // namespace
}  // namespace lmb::scheduling
