// When silence is a sign of a wedge, and when something explains it.
#include <deque>
#include <variant>
#include <vector>

#include "story.hpp"

namespace lmb::scheduling {
namespace {

constexpr Transition a_suspect{WorkerId(0), WorkerState::up, WorkerState::suspect};

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

TEST(WedgeStory, silence_beyond_the_workers_own_past_is_a_wedge) {
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

TEST(WedgeStory, a_long_prompt_is_given_its_time) {
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

TEST(WedgeStory, bytes_of_any_answer_and_answers_that_cannot_be_judged_prevent_it) {
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

TEST(WedgeStory, silence_towards_a_client_that_does_not_read_is_no_evidence) {
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

TEST(WedgeStory, a_worker_that_loads_again_what_it_unloaded_is_not_wedged) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  run_stream(story, 1000);
  (void)story.offer(0, {{"m", false}});
  story.pass(170s);
  EXPECT_EQ(story.probe(0, true), nothing);
  (void)story.offer(0, {{"m", true}});
  story.pass(59s);
  EXPECT_EQ(story.probe(0, true), nothing) << "the prompt comes after the load";
  story.pass(2s);
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U) << "now it has no excuse";
}

TEST(WedgeStory, what_somebody_left_behind_is_worked_off_before_what_others_asked_for) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  const Slot leaver = run_stream(story, 100'000);
  run_stream(story, 1000);
  story.pass(70s);
  Report left(Outcome::abandoned);
  left.sent = story.now() - 70s;
  (void)story.finish(leaver, left);
  story.pass(31s);
  EXPECT_EQ(story.probe(0, true), nothing) << "its prompt takes 200 s";
  story.pass(20min);
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U);
}

/// Every ten seconds a client comes, and gives up after forty. Of a wedged worker nobody gets
/// anything; true when that is found within half an hour.
bool is_found_by_impatient_clients(bool stream) {
  Story story({slots(8)});
  story.all_up();
  learn(story);
  std::deque<Slot> waiting;
  bool found = false;
  const Slot patient = run_stream(story, 1000);
  for (int i = 0; i < 180 && !found; ++i) {
    Demand demand;
    demand.model = "m";
    demand.prompt_tokens = 20'000;
    demand.stream = stream;
    const auto given = story.submit(demand);
    if (const auto* slot = std::get_if<Slot>(&given)) waiting.push_back(*slot);
    story.pass(10s);
    (void)story.tick();
    if (i >= 3 && !waiting.empty()) {
      Report left(Outcome::abandoned);
      left.sent = story.now() - 40s;
      (void)story.finish(waiting.front(), left);
      waiting.pop_front();
    }
    found = !story.probe(0, true).wedged.empty();
  }
  (void)patient;
  return found;
}

TEST(WedgeStory, clients_that_give_up_and_come_again_do_not_hide_one) {
  EXPECT_TRUE(is_found_by_impatient_clients(true));
  EXPECT_TRUE(is_found_by_impatient_clients(false));
}

TEST(WedgeStory, silence_that_was_natural_until_now_counts_from_now) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  const Slot whole = story.runs_on(0);
  story.pass(298s);
  EXPECT_EQ(story.probe(0, true), nothing);
  run_stream(story, 1000);
  story.pass(2s);
  Report left(Outcome::abandoned);
  left.sent = story.now() - 300s;
  (void)story.finish(whole, left);
  EXPECT_EQ(story.probe(0, true), nothing);
  story.pass(91s);  // What the other one left may take half a minute.
  EXPECT_EQ(story.probe(0, true).wedged.size(), 1U);
}

TEST(WedgeStory, a_stream_that_calls_tools_may_be_silent_for_any_time) {
  Story story({slots(4)});
  story.all_up();
  learn(story);
  Demand demand;
  demand.model = "m";
  demand.prompt_tokens = 1000;
  demand.stream = true;
  demand.acts = true;
  (void)story.submit(demand);
  story.pass(20min);
  EXPECT_EQ(story.probe(0, true), nothing);
}

TEST(WedgeStory, the_trial_of_a_wedged_worker_is_judged_anew) {
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

TEST(WedgeStory, a_wedge_is_found_again_while_a_queue_keeps_the_worker_busy) {
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

TEST(WedgeStory, a_worker_that_taught_nothing_is_not_judged) {
  Story story({slots(4)});
  story.all_up();
  run_stream(story, 1000);
  story.pass(1h);
  EXPECT_EQ(story.probe(0, true), nothing);
}

}  // namespace
}  // namespace lmb::scheduling
