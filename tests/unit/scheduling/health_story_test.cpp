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

/// Twenty answers: first token after 1 s for 1000 tokens, 100 tokens 50 ms apart.
void learn(Story& story) {
  for (int i = 0; i < 20; ++i) {
    const Slot slot = story.runs_on(0);
    Report report;
    report.sent = story.now();
    report.first_token = story.now() + 1s;
    report.tokens = 100;
    report.last_token = story.now() + 1s + 99 * 50ms;
    story.pass(6s);
    (void)story.finish(slot, report);
  }
}

Slot run_stream(Story& story, std::uint64_t tokens) {
  Demand demand;
  demand.model = "m";
  demand.deadline = story.now() + 1h;
  demand.prompt_tokens = tokens;
  demand.stream = true;
  return std::get<Slot>(story.submit(demand));
}

TEST(HealthStory, silence_beyond_the_workers_own_past_is_a_wedge) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  run_stream(story, 1000);
  story.pass(59s);
  EXPECT_EQ(story.probe(0, true), nothing) << "below the floor";
  story.pass(2s);
  EXPECT_EQ(story.probe(0, true), (Told{{}, {}, {a_suspect}, {WorkerId(0)}}));
  EXPECT_EQ(story.probe(0, true), nothing) << "told once";
}

TEST(HealthStory, a_long_prompt_is_given_its_time) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  // Two seconds a thousand tokens at 99 of 100 (500 are overhead), times four: 100,000 take 800 s.
  run_stream(story, 100'000);
  story.pass(5min);
  EXPECT_EQ(story.probe(0, true), nothing);
  story.pass(15min);
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U);
}

TEST(HealthStory, bytes_of_any_answer_and_answers_that_cannot_be_judged_prevent_it) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  run_stream(story, 1000);
  story.pass(10min);
  ProbeReport probe(true);
  probe.last_bytes = story.now() - 1s;
  EXPECT_EQ(story.probe(0, probe), nothing);
  // An answer that is not streamed is silent until its end.
  story.runs_on(0);
  story.pass(10min);
  EXPECT_EQ(story.probe(0, true), nothing);
}

TEST(HealthStory, silence_towards_a_client_that_does_not_read_is_no_evidence) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  const Slot slow = run_stream(story, 1000);
  story->held_back(slow);
  run_stream(story, 1000);
  story.pass(1h);
  EXPECT_EQ(story.probe(0, true), nothing);
  (void)story.finish(slow, Outcome::answered);
  story.pass(61s);
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U);
}

TEST(HealthStory, a_worker_that_loads_again_what_it_unloaded_is_not_wedged) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  run_stream(story, 1000);
  (void)story.offer(0, {{"m", false}});
  story.pass(170s);
  EXPECT_EQ(story.probe(0, true), nothing);
  (void)story.offer(0, {{"m", true}});
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U) << "now it has no excuse";
}

TEST(HealthStory, the_trial_of_a_wedged_worker_is_judged_anew) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  const Slot first = run_stream(story, 1000);
  story.pass(61s);
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U);
  (void)story.finish(first, Outcome::worker_fault);
  story.pass(10s);
  run_stream(story, 1000);
  story.pass(59s);
  EXPECT_TRUE(story.probe(0, true).wedged.empty());
  story.pass(2s);
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U);
}

TEST(HealthStory, a_wedge_is_found_again_while_a_queue_keeps_the_worker_busy) {
  Story story({slots(2)});
  story.all_up();
  learn(story);
  std::vector<Slot> running{run_stream(story, 1000), run_stream(story, 1000)};
  Demand demand;
  demand.model = "m";
  demand.deadline = story.now() + 10h;
  demand.prompt_tokens = 1000;
  demand.stream = true;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(std::holds_alternative<TicketId>(story.submit(demand)));
  for (int found = 0; found < 3; ++found) {
    story.pass(61s);
    ASSERT_EQ(story.probe(0, true).wedged.size(), 1U) << found;
    // The shell cuts one after the other; nobody else is left, so those who wait come at once.
    std::vector<Slot> next;
    for (const Slot& cut : running) {
      if (!story.finish(cut, Outcome::worker_fault).grants.empty()) {
        next.push_back(story.last_slot(0));
      }
    }
    running = next;
    ASSERT_EQ(running.size(), found < 2 ? 2U : 0U);
  }
}

TEST(HealthStory, a_worker_that_taught_nothing_is_not_judged) {
  Story story({slots(4)});
  story.all_up();
  run_stream(story, 1000);
  story.pass(1h);
  EXPECT_EQ(story.probe(0, true), nothing);
}

}  // namespace
}  // namespace lmb::scheduling
