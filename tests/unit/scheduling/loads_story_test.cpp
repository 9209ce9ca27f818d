#include "story.hpp"

namespace lmb::scheduling {
namespace {

// Defaults: a load is taken to last 15 s, fails after 180 s, a failure counts for 30 s, a model
// that is loaded nowhere may take over a worker after 30 s, at most one in 2 min.

Report unavailable() {
  return Outcome::model_unavailable;
}

TEST(LoadsStory, followers_wait_for_one_load_and_are_served_when_it_is_seen) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  const Slot leader = story.runs_on(0);
  EXPECT_TRUE(leader.cold);
  EXPECT_TRUE(story->loading(WorkerId(0)));
  EXPECT_FALSE(story->awaited(leader));
  const TicketId follower = story.waits();
  EXPECT_TRUE(story->awaited(leader));
  EXPECT_EQ(story->snapshot(story.now()).holds.load, 1U);
  story.pass(9s);
  EXPECT_EQ(story.offer(0, {{"m", true}}), granted({{follower, WorkerId(0)}}));
  EXPECT_FALSE(story->loading(WorkerId(0)));
}

TEST(LoadsStory, a_failed_load_sends_the_followers_elsewhere) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, {{"m", false}});
  const Slot leader = story.runs_on(0);
  const TicketId follower = story.waits();
  EXPECT_EQ(story.finish(leader, unavailable()), granted({{follower, WorkerId(1)}}));
  EXPECT_TRUE(story.last_slot(1).cold);
}

TEST(LoadsStory, with_no_candidate_left_they_get_the_loads_own_error) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  const Slot leader = story.runs_on(0);
  const TicketId follower = story.waits();
  EXPECT_EQ(story.finish(leader, unavailable()), refused({{follower, Refusal::load_failed}}));
  story.is_refused(Refusal::load_failed);
  story.pass(30s);
  EXPECT_TRUE(story.runs_on(0).cold) << "after the mark it is tried again";
}

TEST(LoadsStory, the_mark_doubles_up_to_ten_minutes_and_a_success_clears_it) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  for (const Duration mark : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    (void)story.finish(story.runs_on(0), unavailable());
    story.pass(mark - 1ns);
    story.is_refused(Refusal::load_failed);
    story.pass(1ns);
  }
  (void)story.finish(story.runs_on(0));
  (void)story.finish(story.runs_on(0), unavailable());
  story.pass(30s);
  story.runs_on(0);
}

TEST(LoadsStory, those_who_are_refused_are_told_what_the_worker_said) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  EXPECT_EQ(story->load_error("m"), "");
  Report report = unavailable();
  report.load_error = "Not enough memory";
  (void)story.finish(story.runs_on(0), report);
  EXPECT_EQ(story->load_error("m"), "Not enough memory");
  EXPECT_EQ(story->load_error("other"), "");
  story.pass(30s);
  const Slot again = story.runs_on(0);
  EXPECT_EQ(story->load_error("m"), "Not enough memory") << "until it is known better";
  (void)story.finish(again);
  EXPECT_EQ(story->load_error("m"), "");
}

TEST(LoadsStory, a_worker_is_watched_until_its_catalogue_shows_what_it_loaded) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  const Slot leader = story.runs_on(0);
  (void)story.first_token(leader);
  EXPECT_TRUE(story->loading(WorkerId(0))) << "its slots are not known yet";
  EXPECT_FALSE(story->awaited(leader)) << "but the load is over";
  (void)story.offer(0, {{"m", true}});
  EXPECT_FALSE(story->loading(WorkerId(0)));
}

TEST(LoadsStory, a_load_whose_leader_left_is_waited_for_as_long_as_loads_take) {
  Story story = fleet_of_two();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, Offers{});
  const Slot leader = story.runs_on(0);
  const TicketId follower = story.waits();
  Report left(Outcome::abandoned);
  left.sent = story.now();
  story.pass(1s);
  EXPECT_EQ(story.finish(leader, left), nothing);
  story.pass(15s - 1ns);
  EXPECT_TRUE(story->loading(WorkerId(0)));
  story.pass(1ns);
  EXPECT_EQ(story.tick(), nothing) << "its slot settles: the prompt comes after the load";
  story.pass(15s);
  EXPECT_EQ(story.tick(), granted({{follower, WorkerId(0)}}));
  EXPECT_TRUE(story.last_slot(0).cold);
}

TEST(LoadsStory, a_full_instance_is_waited_for_as_long_as_a_load_would_take) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(1, {{"m", false}});
  story.pass(1min);
  story.runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story->snapshot(story.now()).holds.load, 1U);
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 15s);
  story.pass(15s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  EXPECT_EQ(story.tick(), granted({{waiting, WorkerId(1)}}));
}

TEST(LoadsStory, a_load_never_evicts_what_runs_and_takes_over_after_a_while) {
  Story story({slots(2)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"old", true}, {"new", false}});
  story.pass(1min);
  story.runs_on(0, "old");
  const TicketId waiting = story.waits("new");
  EXPECT_EQ(story->snapshot(story.now()).holds.switching, 1U);
  // The old model goes on for half a minute.
  story.pass(29s);
  story.runs_on(0, "old");
  story.pass(1s);
  EXPECT_EQ(story.tick(), nothing);
  EXPECT_EQ(story->snapshot(story.now()).workers[0].switching_to, "new");
  // Then it gets nothing new, finishes, and the new one is loaded.
  (void)story.finish(0);
  const TicketId late = story.waits("old");
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
  EXPECT_TRUE(story.last_slot(0).cold);
  // At most one switch in two minutes: the old one's turn comes after that.
  (void)story.offer(0, {{"old", false}, {"new", true}});
  story.pass(119s);
  EXPECT_EQ(story.tick(), nothing);
  story.runs_on(0, "new");
  story.pass(1s);
  EXPECT_EQ(story.tick(), nothing);
  EXPECT_EQ(story->snapshot(story.now()).workers[0].switching_to, "old");
  (void)story.finish(0);
  EXPECT_EQ(story.finish(0), granted({{late, WorkerId(0)}}));
}

TEST(LoadsStory, a_switch_ends_when_nobody_wants_it_any_more) {
  Story story({slots(2)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"old", true}, {"new", false}});
  story.runs_on(0, "old");
  const TicketId waiting = story.waits("new");
  story.pass(30s);
  (void)story.tick();
  story.waits("old");
  EXPECT_TRUE(story->withdraw(waiting));
  EXPECT_EQ(story.tick().grants.size(), 1U);
}

TEST(LoadsStory, a_worker_that_keeps_its_models_loads_beside_what_runs) {
  WorkerSpec spec = slots(2);
  spec.auto_evict = false;
  Story story({spec});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"old", true}, {"new", false}});
  story.runs_on(0, "old");
  EXPECT_TRUE(story.runs_on(0, "new").cold);
  story.runs_on(0, "old");
}

TEST(LoadsStory, an_instance_idle_for_fifty_minutes_gets_one_request_until_it_answers) {
  Story story({slots(4)});
  story.all_up();
  story.pass(50min);
  const Slot first = story.runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(first), granted({{waiting, WorkerId(0)}}));
  story.runs_on(0);
}

TEST(LoadsStory, the_first_token_shows_that_an_idle_instance_is_still_there) {
  Story story({slots(4)});
  story.all_up();
  story.pass(50min);
  const Slot first = story.runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story->snapshot(story.now()).holds.load, 1U);
  ASSERT_TRUE(first.watched);
  EXPECT_EQ(story.first_token(first), granted({{waiting, WorkerId(0)}}));
}

TEST(LoadsStory, a_fallback_serves_by_any_name_of_its_model_and_when_that_cannot_be_loaded) {
  SchedulerOptions options = plain_options();
  options.models.fallbacks = {{"qwen/big", {"m"}}};
  Story story({slots(9), slots(9)}, options);
  story.all_up();
  Offers offers;
  ModelOffer big;
  big.key = "qwen/big";
  big.spellings = {"big"};
  offers.models.push_back(big);
  (void)story.offer(1, offers);
  const Slot leader = story.runs_on(1, "big");
  EXPECT_TRUE(leader.cold);
  const TicketId waiting = story.waits("big");
  const Told told = story.finish(leader, Outcome::model_unavailable);
  EXPECT_EQ(told.refusals, (std::vector{RefusedTicket{waiting, Refusal::load_failed}}));
  Demand again;
  again.model = "big";
  EXPECT_TRUE(story->servable(again, story.now())) << "who is refused may ask again";
  EXPECT_EQ(*story.runs_on(0, "big").id, "m");
  story.pass(31s);
  EXPECT_TRUE(story.runs_on(1, "big").cold) << "it may be loaded again";
  EXPECT_EQ(*story.runs_on(0, "big", workers({1})).id, "m") << "who has failed on it";
  again.tried = workers({0, 1});
  EXPECT_FALSE(story->servable(again, story.now()));
  again.tried = {};
  again.cannot_load = workers({0, 1});
  EXPECT_TRUE(story->servable(again, story.now())) << "the fallback may be where the model is not";
  again.tried = again.lacking = workers({1});
  again.cannot_load = {};
  const auto submitted = story.submit(again);
  EXPECT_TRUE(std::holds_alternative<Refusal>(submitted)) << "the lack of a route is none of it";
}

TEST(LoadsStory, aliases_and_fallbacks_are_told_to_the_worker_by_their_real_names) {
  SchedulerOptions options = plain_options();
  options.models.aliases = {{"gpt-4o", "m"}, {"m", "never: m is a model"}};
  options.models.fallbacks = {{"gone", {"nor-this", "m"}}};
  Story story({slots(9), slots(9)}, options);
  story.all_up();
  (void)story.offer(1, {{"gone", true}});
  for (const char* name : {"gpt-4o", "m"}) {
    const Slot slot = story.runs_on(0, name);
    EXPECT_EQ(*slot.id, "m");
    EXPECT_EQ(slot.rename, std::string_view(name) != "m");
  }
  EXPECT_FALSE(story.runs_on(1, "gone").rename);
  (void)story.take_down(1);
  const Slot fallback = story.runs_on(0, "gone");
  EXPECT_EQ(*fallback.id, "m");
  EXPECT_TRUE(fallback.rename);
}

/// Two models on one worker, each with half as much again as it could do alone. Requests take 4 s,
/// loads 10 s.
TEST(LoadsStory, two_models_both_overloaded_take_turns_within_a_stated_bound) {
  Story story({slots(2)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"x", true}, {"y", false}});
  struct Running {
    Slot slot;
    TimePoint ends;
    std::string model;
  };
  std::vector<Running> running;
  std::map<TicketId, std::string> names;
  std::map<std::string, TimePoint> turn{{"x", story.now()}, {"y", story.now()}};
  std::map<std::string, Duration> longest;
  std::map<std::string, int> served;
  std::optional<TimePoint> load_ends;
  std::string loads;
  const auto begin = [&](const Slot& slot, const std::string& model) {
    longest[model] = std::max(longest[model], story.now() - turn[model]);
    turn[model] = story.now();
    ++served[model];
    running.push_back({slot, story.now() + (slot.cold ? 14s : 4s), model});
    if (slot.cold) {
      EXPECT_EQ(running.size(), 1U) << "the load would cut off the other";
      load_ends = story.now() + 10s;
      loads = model;
    }
  };
  const auto deliver = [&](const Effects& effects) {
    for (const Grant& grant : effects.grants) {
      begin(grant.slot, names.at(grant.ticket));
    }
  };
  for (int step = 0; step < 3600 * 4; ++step) {
    story.pass(250ms);
    deliver(story->tick(story.now()));
    if (load_ends && story.now() >= *load_ends) {
      load_ends.reset();
      deliver(story->set_offers(WorkerId(0), offers_of({{"x", loads == "x"}, {"y", loads == "y"}}),
                                story.now()));
    }
    for (std::size_t i = 0; i < running.size();) {
      if (running[i].ends > story.now()) {
        ++i;
        continue;
      }
      const Slot slot = running[i].slot;
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      deliver(story->finish(slot, Outcome::answered, story.now()));
    }
    // Each model 0.75 requests a second: 1.5 times the 0.5 of both slots.
    for (const char* model : {"x", "y"}) {
      if (step % 16 < 12 && step % 4 == 0) {
        Demand demand;
        demand.model = model;
        demand.deadline = story.now() + 4min;
        const Submitted submitted = story->submit(demand, story.now());
        if (const auto* slot = std::get_if<Slot>(&submitted)) {
          begin(*slot, model);
        } else if (const auto* ticket = std::get_if<TicketId>(&submitted)) {
          names[*ticket] = model;
        }
      }
    }
  }
  // One residency, the requests that run, a load, and what the clock of this story is off.
  for (const char* model : {"x", "y"}) {
    EXPECT_LE(longest[model], 2min + 4s + 10s + 6s) << model;
    EXPECT_GT(served[model], 500) << model;
  }
}

}  // namespace
}  // namespace lmb::scheduling
