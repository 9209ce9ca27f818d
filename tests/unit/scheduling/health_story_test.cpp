#include "story.hpp"

namespace lmb::scheduling {
namespace {

// Defaults: three faults open a breaker, for 5 s the first time, plus or minus a fifth.

const Transition a_suspect{WorkerId(0), WorkerState::up, WorkerState::suspect};
const Transition a_up{WorkerId(0), WorkerState::suspect, WorkerState::up};

/// A fault of a request that was sent.
Report fault(const Story& story, std::uint64_t prompt = 0) {
  Report report(Outcome::worker_fault);
  report.sent = story.now();
  report.prompt = prompt;
  return report;
}

/// Two workers of four slots; a has failed three requests in a row.
Story with_a_broken() {
  Story story({slots(4), slots(4)});
  story.all_up();
  for (int i = 0; i < 3; ++i) {
    (void)story.finish(story.runs_on(0, "m", workers({1})), Outcome::worker_fault);
  }
  return story;
}

TEST(HealthStory, a_fault_makes_suspect_and_an_answer_clears) {
  Story story({slots(4), slots(4)});
  story.all_up();
  EXPECT_EQ(story.finish(story.runs_on(0), Outcome::worker_fault), changed({a_suspect}));
  // A suspect gets requests only when the others are full.
  for (int i = 0; i < 4; ++i) {
    story.runs_on(1);
  }
  const Slot slot = story.runs_on(0);
  EXPECT_EQ(story.finish(slot), changed({a_up}));
}

TEST(HealthStory, a_single_fault_is_forgotten_by_a_good_probe_after_a_while) {
  Story story({slots(4), slots(4)});
  story.all_up();
  (void)story.finish(story.runs_on(0), Outcome::worker_fault);
  EXPECT_EQ(story.probe(0, true), nothing);
  story.pass(5s);
  EXPECT_EQ(story.probe(0, true), changed({a_up}));
}

TEST(HealthStory, a_failed_probe_makes_suspect_too) {
  Story story({slots(1)});
  story.all_up();
  EXPECT_EQ(story.probe(0, false), changed({a_suspect}));
  EXPECT_EQ(story.probe(0, true), changed({a_up}));
}

TEST(HealthStory, three_faults_in_a_row_open_the_breaker_and_waiting_goes_elsewhere) {
  Story story = with_a_broken();
  for (int i = 0; i < 4; ++i) {
    story.runs_on(1);
  }
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(1), granted({{waiting, WorkerId(1)}}));
  EXPECT_TRUE(story->snapshot(story.now()).workers[0].breaker_until);
}

TEST(HealthStory, after_the_time_exactly_one_request_is_tried) {
  Story story = with_a_broken();
  for (int i = 0; i < 4; ++i) {
    story.runs_on(1);
  }
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  const auto next = story->next_tick(story.now());
  ASSERT_TRUE(next);
  EXPECT_GE(*next - story.now(), 4s);
  EXPECT_LE(*next - story.now(), 6s);
  story.pass(*next - story.now());
  EXPECT_EQ(story.tick(), granted({{first, WorkerId(0)}}));
  EXPECT_TRUE(story.last_slot(0).watched);
  EXPECT_EQ(story.tick(), nothing) << "exactly one";
  // Its first token is proof enough.
  EXPECT_EQ(story.first_token(story.last_slot(0)), (Told{{{second, WorkerId(0)}}, {}, {a_up}}));
}

TEST(HealthStory, a_fault_on_trial_opens_again_for_twice_the_time) {
  Story story = with_a_broken();
  Duration before = 0s;
  for (int i = 0; i < 8; ++i) {
    const Duration wait = *story->snapshot(story.now()).workers[0].breaker_until - story.now();
    const Duration middle = std::min<Duration>(5s * (1 << i), 2min);
    EXPECT_GE(wait, middle * 8 / 10) << i;
    EXPECT_LE(wait, middle * 12 / 10) << i;
    before = wait;
    story.pass(wait);
    (void)story.finish(story.runs_on(0, "m", workers({1})), Outcome::worker_fault);
  }
}

TEST(HealthStory, a_trial_without_evidence_lets_the_next_one_try) {
  Story story = with_a_broken();
  story.pass(10s);
  story.runs_on(1);
  const Slot trial = story.runs_on(0);
  EXPECT_TRUE(trial.watched) << "sought out, though it is suspect";
  story.runs_on(1);
  EXPECT_EQ(story.finish(trial, Outcome::abandoned), nothing);
  story.runs_on(1, "m", workers({0}));
  const Slot next = story.runs_on(0, "m", workers({1}));
  EXPECT_EQ(story.finish(next), changed({a_up}));
}

TEST(HealthStory, when_breakers_exclude_everyone_they_are_ignored) {
  Story story({slots(1)});
  story.all_up();
  for (int i = 0; i < 5; ++i) {
    (void)story.finish(story.runs_on(0), Outcome::worker_fault);
  }
  EXPECT_EQ(story->snapshot(story.now()).panic_grants_total, 2U);
  EXPECT_EQ(story.finish(story.runs_on(0)), changed({a_up}));
}

TEST(HealthStory, a_trial_that_begins_leaves_those_who_hoped_for_its_worker_to_panic) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(0, {{"m", true}, {"n", true}});
  story.runs_on(0, "m", workers({1}));
  for (int i = 0; i < 3; ++i) {
    (void)story.finish(story.runs_on(0, "n"), Outcome::worker_fault);
  }
  story.pass(6s);
  for (int i = 0; i < 3; ++i) {
    (void)story.finish(story.runs_on(1, "m", workers({0})), Outcome::worker_fault);
  }
  // b's breaker is open; a admits its trial, but "m" is busy there.
  const TicketId waiting = story.waits("m");
  EXPECT_EQ(story.tick(), nothing);
  story.runs_on(0, "n");
  EXPECT_EQ(story.tick(), granted({{waiting, WorkerId(1)}})) << "nobody else admits it now";
}

TEST(HealthStory, one_poisonous_prompt_is_one_piece_of_evidence) {
  // It crashes every worker that it reaches; the client's SDK sends it three times, we try each
  // three times.
  Story story({slots(4), slots(4), slots(4)});
  story.all_up();
  for (int sdk = 0; sdk < 3; ++sdk) {
    WorkerSet tried;
    for (int attempt = 0; attempt < 3; ++attempt) {
      const Submitted submitted = story.submit("m", tried);
      const Slot slot = std::get<Slot>(submitted);
      tried.insert(slot.worker);
      (void)story.finish(slot, fault(story, 4711));
    }
  }
  std::uint32_t suspects = 0;
  for (const WorkerSnapshot& worker : story->snapshot(story.now()).workers) {
    EXPECT_FALSE(worker.breaker_until);
    suspects += worker.state == WorkerState::suspect ? 1 : 0;
  }
  EXPECT_EQ(suspects, 1U);
  // Other prompts, or the same one six minutes later, are evidence again.
  story.pass(6min);
  (void)story.finish(story.runs_on(2, "m", workers({0, 1})), fault(story, 4711));
  (void)story.finish(story.runs_on(2, "m", workers({0, 1})), fault(story, 4712));
  EXPECT_EQ(story->snapshot(story.now()).workers[2].state, WorkerState::suspect);
  (void)story.finish(story.runs_on(2, "m", workers({0, 1})), fault(story, 4713));
  EXPECT_TRUE(story->snapshot(story.now()).workers[2].breaker_until);
}

TEST(HealthStory, what_was_never_sent_counts_each_time) {
  Story story({slots(4), slots(4)});
  story.all_up();
  Report refused_connection(Outcome::worker_fault);
  refused_connection.prompt = 4711;
  for (int i = 0; i < 3; ++i) {
    (void)story.finish(story.runs_on(0, "m", workers({1})), refused_connection);
  }
  EXPECT_TRUE(story->snapshot(story.now()).workers[0].breaker_until);
}

TEST(HealthStory, a_probe_that_times_out_while_bytes_come_is_no_evidence) {
  Story story({slots(1)});
  story.all_up();
  ProbeReport late(false);
  late.timed_out = true;
  late.begun = story.now();
  story.pass(2s);
  late.last_bytes = late.begun + 1s;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(story.probe(0, late), nothing);
  }
  // No bytes since it began: evidence. A refused connection: evidence whatever came before.
  late.begun = story.now();
  late.last_bytes = late.begun - 1ms;
  EXPECT_EQ(story.probe(0, late), changed({a_suspect}));
  ProbeReport refused(false);
  refused.begun = story.now() - 1s;
  refused.last_bytes = story.now();
  (void)story.probe(0, refused);
  EXPECT_EQ(story.probe(0, refused),
            changed({{WorkerId(0), WorkerState::suspect, WorkerState::down}}));
}

TEST(HealthStory, a_worker_that_comes_back_takes_on_its_load_step_by_step) {
  SchedulerOptions options = plain_options();
  options.health.slow_start = 9s;
  Story story({slots(4)}, options);
  story.all_up();
  (void)story.take_down(0);
  std::vector<TicketId> tickets;
  for (int i = 0; i < 4; ++i) {
    tickets.push_back(story.waits());
  }
  (void)story.probe(0, true);
  EXPECT_EQ(story.probe(0, true).grants, (std::vector<GrantedTo>{{tickets[0], WorkerId(0)}}));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(story->next_tick(story.now()), story.now() + 3s);
    story.pass(3s - 1ns);
    EXPECT_EQ(story.tick(), nothing);
    story.pass(1ns);
    EXPECT_EQ(story.tick(), granted({{tickets[i], WorkerId(0)}}));
  }
}

TEST(HealthStory, a_worker_that_answers_no_probe_while_it_loads_is_not_down) {
  Story story({slots(1)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", false}});
  const Slot leader = story.runs_on(0);
  ProbeReport late(false);
  late.timed_out = true;
  late.begun = story.now();
  for (int i = 0; i < 5; ++i) {
    story.pass(5s);
    EXPECT_EQ(story.probe(0, late).transitions.size(), i == 0 || i == 2 ? 1U : 0U)
        << "nobody takes its connections: it is gone";
  }
  (void)story.probe(0, true);
  (void)story.probe(0, true);
  late.connected = true;
  for (int i = 0; i < 5; ++i) {
    story.pass(5s);
    EXPECT_EQ(story.probe(0, late), nothing);
  }
  (void)story.finish(leader);
  (void)story.offer(0, {{"m", true}});
  story.pass(1s);
  late.begun = story.now();
  EXPECT_EQ(story.probe(0, late).transitions.size(), 1U);
}

}  // namespace
}  // namespace lmb::scheduling
