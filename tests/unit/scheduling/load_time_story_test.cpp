#include "story.hpp"

// Loads that take long or for ever, and instances that are gone when they are asked.

namespace lmb::scheduling {
namespace {

TEST(LoadTimeStory, a_hung_load_has_the_time_out_as_its_error) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  const Slot leader = story.runs_on(0);
  story.waits();
  EXPECT_TRUE(story->awaited(leader));
  story.pass(180s);
  (void)story.tick();
  EXPECT_EQ(story->load_error("m"), "it took longer than models.load_timeout");
  EXPECT_FALSE(story->awaited(leader));
  EXPECT_FALSE(story->loading(WorkerId(0)));
}

TEST(LoadTimeStory, a_hung_load_ends_at_its_time_out_and_so_does_who_began_it) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  const Slot leader = story.runs_on(0);
  const TicketId follower = story.waits();
  story.pass(180s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  Told told = refused({{follower, Refusal::load_failed}});
  told.overdue = {{WorkerId(0), leader.grant}};
  EXPECT_EQ(story.tick(), told);
  EXPECT_EQ(story.tick(), nothing) << "told once";
}

TEST(LoadTimeStory, a_load_that_ends_between_two_calls_is_told_with_the_next_effects) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}, {"n", true}});
  (void)story.offer(1, Offers{});
  const Slot leader = story.runs_on(0);
  story.pass(180s);
  story.is_refused(Refusal::load_failed);
  EXPECT_TRUE(story->any_loads()) << "somebody must call tick()";
  EXPECT_EQ(story.tick().overdue, (std::vector<OverdueLoad>{{WorkerId(0), leader.grant}}));
}

TEST(LoadTimeStory, one_that_has_its_first_token_is_not_overdue) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.first_token(story.runs_on(0));
  story.pass(180s);
  EXPECT_EQ(story.tick(), nothing);
}

TEST(LoadTimeStory, an_answer_teaches_how_long_a_load_took_as_the_catalogue_does) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(1, {{"m", false}});
  (void)story.offer(0, Offers{});
  const Slot leader = story.runs_on(1);
  story.pass(3s);
  (void)story.first_token(leader);
  (void)story.finish(leader);
  (void)story.offer(1, {{"m", true}});
  (void)story.offer(1, {{"m", false}});
  (void)story.offer(0, {{"m", true}});
  story.runs_on(0);
  story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 3s);
}

TEST(LoadTimeStory, a_refused_body_teaches_nothing_of_loads_and_proves_none) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(1, {{"m", false}});
  (void)story.offer(0, Offers{});
  story.pass(1min);
  const Slot leader = story.runs_on(1);
  story.pass(2ms);
  Report refused;
  refused.by_model = false;
  (void)story.finish(leader, refused);
  EXPECT_FALSE(story->loading(WorkerId(1))) << "nobody knows that it loads";
  (void)story.offer(0, {{"m", true}});
  story.runs_on(0);
  story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 15s) << "not two milliseconds";
}

TEST(LoadTimeStory, a_load_on_a_worker_that_left_has_its_deadline_still) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  Demand demand;
  demand.model = "m";
  demand.deadline = story.now() + 1h;
  demand.stream = true;
  const Slot leader = std::get<Slot>(story.submit(demand));
  (void)story.leave(0);
  story.pass(180s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  EXPECT_TRUE(story->any_loads()) << "somebody must call tick()";
  story.pass(1ns);
  Told told = nothing;
  told.overdue = {{WorkerId(0), leader.grant}};
  EXPECT_EQ(story.tick(), told);
  EXPECT_FALSE(story->any_loads());
}

/// A worker whose model is gone when a stream was given to it.
struct Unloaded {
  Unloaded() {
    story.all_up();
    Demand demand;
    demand.model = "m";
    demand.deadline = story.now() + 1h;
    demand.stream = true;
    stream = std::get<Slot>(story.submit(demand));
    told.overdue = {{WorkerId(0), stream.grant}};
    (void)story.offer(0, {{"m", false}});
  }
  Story story{{slots(4)}};
  Slot stream;
  Told told;  ///< That the load takes too long.
};

TEST(LoadTimeStory, a_load_that_no_cold_request_began_has_its_deadline_too) {
  Unloaded unloaded;
  Story& story = unloaded.story;
  EXPECT_FALSE(unloaded.stream.cold);
  EXPECT_TRUE(story->loading(WorkerId(0))) << "its list is to be read each second";
  const TicketId next = story.waits();
  story.pass(180s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  EXPECT_EQ(story.tick(), unloaded.told);
  EXPECT_EQ(story.tick(), nothing) << "once";
  EXPECT_FALSE(story->any_loads());
  EXPECT_FALSE(story->loading(WorkerId(0)));
  const auto told = story.finish(unloaded.stream, Outcome::worker_fault);
  EXPECT_EQ(told.grants, granted({{next, WorkerId(0)}}).grants)
      << "who waits begins a load of his own";
}

TEST(LoadTimeStory, what_has_its_first_token_waits_for_no_load_whatever_the_list_shows) {
  Story story({slots(4)});
  story.all_up();
  Demand demand;
  demand.model = "m";
  demand.stream = true;
  const Slot early = std::get<Slot>(story.submit(demand));
  const Slot late = std::get<Slot>(story.submit(demand));
  story->note_first_token(early, story.now());
  (void)story.offer(0, {{"m", false}});
  story->note_first_token(late, story.now());
  story.pass(1s);
  EXPECT_EQ(story.tick(), nothing);
  EXPECT_FALSE(story->any_loads());
  story.pass(1h);
  EXPECT_EQ(story.tick(), nothing);
}

TEST(LoadTimeStory, a_load_that_no_cold_request_began_is_over_when_the_list_shows_the_model) {
  Unloaded unloaded;
  (void)unloaded.story.offer(0, {{"m", true}});
  EXPECT_FALSE(unloaded.story->any_loads());
  unloaded.story.pass(1h);
  EXPECT_EQ(unloaded.story.tick(), nothing);
}

TEST(LoadTimeStory, a_load_that_was_seen_and_lost_again_has_a_deadline_too) {
  Story story({slots(4)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", false}});
  Demand demand;
  demand.model = "m";
  demand.stream = true;
  const Slot leader = std::get<Slot>(story.submit(demand));
  ASSERT_TRUE(leader.cold);
  story.pass(20s);
  (void)story.offer(0, {{"m", true}});
  story.pass(5s);
  (void)story.offer(0, {{"m", false}});
  story.pass(180s);
  Told told = nothing;
  told.overdue = {{WorkerId(0), leader.grant}};
  EXPECT_EQ(story.tick(), told);
}

TEST(LoadTimeStory, a_list_that_is_read_again_and_again_puts_no_deadline_off) {
  Unloaded unloaded;
  for (int i = 0; i < 179; ++i) {
    unloaded.story.pass(1s);
    (void)unloaded.story.offer(0, {{"m", false}, {"n" + std::to_string(i), false}});
  }
  unloaded.story.pass(1s);
  EXPECT_EQ(unloaded.story.tick(), unloaded.told);
}

TEST(LoadTimeStory, an_answer_in_one_piece_may_be_generated_already) {
  Story story({slots(4)});
  story.all_up();
  (void)story.runs_on(0);
  (void)story.offer(0, {{"m", false}});
  story.pass(1h);
  EXPECT_EQ(story.tick(), nothing);
}

TEST(LoadTimeStory, an_instance_that_answers_as_if_it_were_not_there_is_not) {
  Story story({slots(4), slots(4)});
  story.all_up();
  const Slot first = story.runs_on(0);
  Told told = nothing;
  told.doubted = {WorkerId(0)};
  EXPECT_EQ(story.finish(first, Outcome::model_unavailable), told);
  story.runs_on(1);
  story.runs_on(1);
  story.runs_on(1);
  EXPECT_EQ(story.in_flight(0), 0U) << "the fastest to refuse must not draw all requests";
  (void)story.offer(0, {{"m", true}});
  story.runs_on(0);
}

TEST(LoadTimeStory, a_name_that_is_nothing_to_a_route_takes_no_instance_away) {
  Story story({slots(4), slots(4)});
  story.all_up();
  Report refusal(Outcome::model_unavailable);
  refusal.load_tried = false;
  EXPECT_EQ(story.finish(story.runs_on(0), refusal), nothing);
  story.runs_on(1);
  EXPECT_FALSE(story.runs_on(0).cold);
}

TEST(LoadTimeStory, load_times_are_learned_and_told_ones_believed_until_then) {
  Story story({slots(1), slots(1)});
  story.all_up();
  story.pass(1min);
  Offers on_disk = offers_of({{"m", false}});
  on_disk.models[0].load_time = 4s;
  (void)story.offer(1, on_disk);
  story.runs_on(0);
  story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 4s);
  story.pass(4s);
  (void)story.tick();
  story.pass(7s);
  (void)story.offer(1, {{"m", true}});
  (void)story.finish(1);
  (void)story.offer(1, on_disk);
  story.waits();
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 7s) << "learned";
}

}  // namespace
}  // namespace lmb::scheduling
