#include "story.hpp"

namespace lmb::scheduling {
namespace {

Report left(TimePoint sent) {
  Report report(Outcome::abandoned);
  report.sent = sent;
  return report;
}

Demand prompt_of(const Story& story, std::uint64_t tokens) {
  Demand demand;
  demand.model = "m";
  demand.deadline = story.now() + 1h;
  demand.prompt_tokens = tokens;
  return demand;
}

/// As many answers as the brain wants before it believes them, each so long until its first token
/// (of a stream) or its end.
void teach(Story& story, const Demand& demand, Duration took, bool stream) {
  for (int i = 0; i < 20; ++i) {
    const Slot slot = std::get<Slot>(story.submit(demand));
    Report report;
    report.sent = story.now();
    story.pass(took);
    if (stream) {
      report.first_token = story.now();
    }
    (void)story.finish(slot, report);
  }
}

TEST(SettlingStory, a_client_that_leaves_before_a_token_leaves_its_slot_taken) {
  Story story({slots(1)});
  story.all_up();
  story.pass(1min);
  story.runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(0, left(story.now())), nothing);
  EXPECT_EQ(story.in_flight(0), 0U);
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 1U);
  EXPECT_EQ(story->next_tick(story.now()), story.now() + 30s);
  story.pass(30s - 1ns);
  EXPECT_EQ(story.tick(), nothing);
  story.pass(1ns);
  EXPECT_EQ(story.tick(), granted({{waiting, WorkerId(0)}}));
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 0U);
}

TEST(SettlingStory, a_short_prompt_settles_sooner_also_where_nothing_was_learned) {
  Story story({slots(2)});
  story.all_up();
  const Demand demand = prompt_of(story, 100);
  const auto leaves = [&] {
    const Slot slot = std::get<Slot>(story.submit(demand));
    (void)story.finish(slot, left(story.now()));
  };
  leaves();
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 1U);
  story.pass(3s - 1ns);
  (void)story.tick();
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 1U);
  story.pass(1ns);
  (void)story.tick();
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 0U) << "1 s and 20 ms a token";
  leaves();
  leaves();
  story.pass(6s - 1ns);
  (void)story.tick();
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 1U) << "one after the other";
}

TEST(SettlingStory, nothing_sent_or_a_token_seen_frees_it_at_once) {
  for (const bool sent : {false, true}) {
    Story story({slots(1)});
    story.all_up().runs_on(0);
    const TicketId waiting = story.waits();
    Report report(Outcome::abandoned);
    if (sent) {
      report.sent = story.now();
      report.first_token = story.now() + 1s;
      story.pass(2s);
    }
    EXPECT_EQ(story.finish(0, report), granted({{waiting, WorkerId(0)}}));
  }
}

TEST(SettlingStory, so_does_a_first_token_of_a_later_request_on_the_instance) {
  Story story({slots(2)});
  story.all_up();
  const Slot earlier = story.runs_on(0);
  const Slot leaver = story.runs_on(0);
  story.pass(1s);
  (void)story.finish(leaver, left(story.now()));
  const TicketId waiting = story.waits();
  EXPECT_FALSE(earlier.watched);
  (void)story.finish(earlier);
  const Slot later = story.last_slot(0);
  EXPECT_TRUE(later.watched) << "somebody must tell of its first token";
  const TicketId next = story.waits();
  EXPECT_NE(next, waiting);
  EXPECT_EQ(story.first_token(later), granted({{next, WorkerId(0)}}));
}

TEST(SettlingStory, the_estimate_is_learned_from_the_worker) {
  Story story({slots(1)});
  story.all_up();
  const Demand demand = prompt_of(story, 8192);
  teach(story, demand, 4s, true);
  const Slot slot = std::get<Slot>(story.submit(demand));
  const TimePoint sent = story.now();
  story.pass(1s);
  (void)story.finish(slot, left(sent));
  story.waits();
  const auto next = story->next_tick(story.now());
  ASSERT_TRUE(next);
  EXPECT_GE(*next, story.now() + 4s);
  EXPECT_LE(*next, story.now() + 5s) << "a step of the distribution above";
}

TEST(SettlingStory, answers_in_one_piece_teach_it_too) {
  Story story({slots(1)});
  story.all_up();
  const Demand demand = prompt_of(story, 500);
  teach(story, demand, 1s, false);
  const Slot slot = std::get<Slot>(story.submit(demand));
  (void)story.finish(slot, left(story.now()));
  story.waits();
  const auto next = story->next_tick(story.now());
  ASSERT_TRUE(next);
  EXPECT_GE(*next, story.now() + 1s);
  EXPECT_LE(*next, story.now() + 2s) << "not 11 s";
}

TEST(SettlingStory, the_prompts_of_others_lengthen_the_estimate) {
  Story story({slots(4)});
  story.all_up();
  const Demand demand = prompt_of(story, 8192);
  teach(story, demand, 1s, true);
  for (int i = 0; i < 3; ++i) {
    (void)story.submit(demand);
  }
  const Slot leaver = std::get<Slot>(story.submit(demand));
  (void)story.finish(leaver, left(story.now()));
  story.waits();
  const auto next = story->next_tick(story.now());
  ASSERT_TRUE(next);
  EXPECT_GE(*next, story.now() + 4s);
  EXPECT_LE(*next, story.now() + 5s);
}

TEST(SettlingStory, can_be_turned_off) {
  SchedulerOptions options = plain_options();
  options.abandon_settle_max = 0s;
  Story story({slots(1)}, options);
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(0, left(story.now())), granted({{waiting, WorkerId(0)}}));
}

TEST(SettlingStory, counts_against_max_in_flight_and_survives_a_new_catalogue) {
  WorkerSpec spec = slots(4);
  spec.max_in_flight = 1;
  Story story({spec});
  story.all_up().runs_on(0);
  (void)story.finish(0, left(story.now()));
  (void)story.offer(0, {{"n", true}});
  const TicketId waiting = story.waits("n");
  EXPECT_EQ(story->snapshot(story.now()).workers[0].settling, 1U);
  story.pass(30s);
  EXPECT_EQ(story.tick(), granted({{waiting, WorkerId(0)}}));
}

}  // namespace
}  // namespace lmb::scheduling
