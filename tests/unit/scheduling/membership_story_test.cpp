#include "story.hpp"

namespace lmb::scheduling {
namespace {

WorkerSpec named(const std::string& name, std::uint32_t count) {
  WorkerSpec spec = slots(count);
  spec.name = name;
  return spec;
}

Report fault() {
  return Outcome::worker_fault;
}

TEST(MembershipStory, a_worker_that_joins_is_given_nothing_until_it_is_probed_and_read) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.join(1, slots(1), "new"), nothing);
  EXPECT_EQ(story.find(1)->state, WorkerState::starting);
  EXPECT_EQ(story.find(1)->name, "new");
  EXPECT_EQ(story.offer(1, {{"m", true}}), nothing);
  EXPECT_EQ(story.probe(1, true), (Told{{{waiting, WorkerId(1)}},
                                        {},
                                        {{WorkerId(1), WorkerState::starting, WorkerState::up}}}));
}

TEST(MembershipStory, a_worker_that_leaves_finishes_what_it_runs_and_gets_nothing_new) {
  Story story({slots(2), slots(2)});
  story.all_up();
  story.runs_on(0);
  story.runs_on(1);
  EXPECT_EQ(story.leave(0), nothing);
  ASSERT_TRUE(story.find(0));
  EXPECT_TRUE(story.find(0)->retired);
  EXPECT_EQ(story.find(0)->in_flight, 1U);
  EXPECT_FALSE(story->is_open(WorkerId(0)));
  story.runs_on(1);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(0), nothing) << "the slot that came back is nobody's";
  EXPECT_FALSE(story.find(0)) << "nothing runs there any more";
  EXPECT_EQ(story.finish(1), granted({{waiting, WorkerId(1)}}));
}

TEST(MembershipStory, who_waits_for_models_that_only_it_had_is_refused_at_once) {
  Story story({slots_in_all(1), slots(1)});
  story.all_up();
  (void)story.offer(0, {{"m", true}, {"own", true}});
  story.runs_on(0, "own");
  const TicketId own = story.waits("own");
  story.runs_on(1);
  const TicketId both = story.waits();
  EXPECT_EQ(story.leave(0), refused({{own, Refusal::unknown_model}}));
  EXPECT_EQ(story.finish(1), granted({{both, WorkerId(1)}}));
  story.is_refused(Refusal::unknown_model, "own");
}

TEST(MembershipStory, a_worker_whose_models_are_not_known_yet_lets_them_hope) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.join(1, slots(1), "new"), nothing);
  EXPECT_EQ(story.leave(0), nothing) << "it may be what the new one has";
  EXPECT_EQ(story.offer(1, Offers{}), refused({{waiting, Refusal::unknown_model}}));
}

TEST(MembershipStory, an_empty_fleet_refuses_every_model) {
  Story story({slots(1)});
  story.all_up();
  EXPECT_EQ(story.leave(0), nothing);
  EXPECT_FALSE(story->any_up());
  EXPECT_TRUE(story->snapshot(story.now()).workers.empty());
  story.is_refused(Refusal::unknown_model);
}

TEST(MembershipStory, a_place_is_vacant_when_its_last_slot_came_back) {
  Story story({slots(1), slots(1)});
  story.all_up().runs_on(0);
  EXPECT_FALSE(story->vacant().contains(WorkerId(0)));
  EXPECT_TRUE(story->vacant().contains(WorkerId(2)));
  EXPECT_TRUE(story->vacant().contains(WorkerId(63)));
  (void)story.leave(0);
  EXPECT_FALSE(story->vacant().contains(WorkerId(0)));
  Report left(Outcome::abandoned);
  left.sent = story.now();
  (void)story.finish(0, left);
  EXPECT_FALSE(story->vacant().contains(WorkerId(0))) << "the slot settles";
  EXPECT_EQ(story.find(0)->settling, 1U);
  story.pass(30s);
  (void)story.tick();
  EXPECT_TRUE(story->vacant().contains(WorkerId(0)));
}

TEST(MembershipStory, a_vacant_place_keeps_nothing_of_its_last_worker) {
  Story story({slots(3), slots(1)});
  story.all_up();
  for (int i = 0; i < 3; ++i) {
    story.runs_on(0, "m", workers({1}));
    (void)story.finish(0, fault());
  }
  ASSERT_TRUE(story.find(0)->breaker_until);
  (void)story.leave(0);
  EXPECT_EQ(story.join(0, slots(1), "other"), nothing);
  const auto other = story.find(0);
  EXPECT_EQ(other->name, "other");
  EXPECT_EQ(other->state, WorkerState::starting);
  EXPECT_FALSE(other->breaker_until);
  EXPECT_FALSE(other->catalogue_known);
  EXPECT_EQ(other->grants_total, 0U);
  EXPECT_TRUE(other->instances.empty());
}

TEST(MembershipStory, a_worker_that_comes_back_to_its_requests_counts_them) {
  Story story({slots(2)});
  story.all_up();
  const Slot before = story.runs_on(0);
  (void)story.leave(0);
  EXPECT_EQ(story.join(0, slots(2), "a"), nothing);
  EXPECT_EQ(story.find(0)->state, WorkerState::starting);
  (void)story.offer(0, {{"m", true}});
  (void)story.probe(0, true);
  EXPECT_EQ(story.in_flight(0), 1U);
  EXPECT_EQ(story.find(0)->grants_total, 1U);
  story.runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(before), granted({{waiting, WorkerId(0)}}));
}

TEST(MembershipStory, requests_of_a_worker_that_left_are_no_evidence) {
  Story story({slots(3), slots(3)});
  story.all_up();
  std::vector<Slot> running;
  for (int i = 0; i < 3; ++i) {
    running.push_back(story.runs_on(0, "m", workers({1})));
  }
  (void)story.leave(0);
  EXPECT_EQ(story.finish(running[0], fault()), nothing);
  (void)story.join(0, slots(3), "a");
  (void)story.offer(0, {{"m", true}});
  (void)story.probe(0, true);
  EXPECT_EQ(story.finish(running[1], fault()), nothing);
  EXPECT_EQ(story.find(0)->state, WorkerState::up) << "it failed as what it was before";
  EXPECT_EQ(story.first_token(running[2]), nothing);
}

TEST(MembershipStory, news_of_a_worker_that_left_are_passed_over) {
  Story story({slots(1), slots(1)});
  story.all_up().runs_on(0);
  (void)story.leave(0);
  EXPECT_EQ(story.probe(0, true), nothing);
  EXPECT_EQ(story.offer(0, {{"m", true}}), nothing);
  EXPECT_EQ(story.drain(0, true), nothing);
  EXPECT_FALSE(story.find(0)->catalogue_known);
  EXPECT_FALSE(story->is_open(WorkerId(0)));
}

TEST(MembershipStory, a_load_of_a_worker_that_left_is_forgotten) {
  Story story({slots(1)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", false}});
  const Slot cold = story.runs_on(0);
  ASSERT_TRUE(cold.cold);
  const TicketId follower = story.waits();
  EXPECT_EQ(story.leave(0), refused({{follower, Refusal::unknown_model}}));
  EXPECT_FALSE(story->loading(WorkerId(0)));
  EXPECT_FALSE(story->awaited(cold));
  Report failed(Outcome::model_unavailable);
  failed.load_error = "no memory";
  EXPECT_EQ(story.finish(cold, failed), nothing);
  (void)story.join(0, slots(1), "a");
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", false}});
  EXPECT_EQ(story->load_error("m"), "") << "what it was before it left is nothing now";
  story.runs_on(0);
}

TEST(MembershipStory, more_slots_are_given_to_those_that_wait) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  EXPECT_EQ(story.change(0, slots(3), "a"), granted({{first, WorkerId(0)}, {second, WorkerId(0)}}));
  EXPECT_EQ(story.find(0)->slots, 3U);
}

TEST(MembershipStory, fewer_slots_take_nothing_away) {
  Story story({slots(2)});
  story.all_up();
  story.runs_on(0);
  story.runs_on(0);
  EXPECT_EQ(story.change(0, slots(1), "a"), nothing);
  EXPECT_EQ(story.in_flight(0), 2U);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
}

TEST(MembershipStory, a_new_weight_counts_for_the_next_request) {
  Story story({slots(9), slots(9)});
  story.all_up();
  story.runs_on(0);
  story.runs_on(1);
  WorkerSpec heavy = slots(9);
  heavy.weight = 4;
  EXPECT_EQ(story.change(1, heavy, "b"), nothing);
  story.runs_on(1);
  story.runs_on(1);
}

TEST(MembershipStory, two_places_may_hold_one_name_while_the_first_finishes) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  (void)story.leave(0);
  EXPECT_EQ(story.join(1, named("a", 1), "a"), nothing);
  const auto fleet = story->snapshot(story.now());
  ASSERT_EQ(fleet.workers.size(), 2U);
  EXPECT_TRUE(fleet.workers[0].retired);
  EXPECT_FALSE(fleet.workers[1].retired);
  EXPECT_EQ(fleet.workers[0].name, fleet.workers[1].name);
}

}  // namespace
}  // namespace lmb::scheduling
