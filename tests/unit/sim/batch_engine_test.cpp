#include "batch_engine.hpp"

#include <gtest/gtest.h>

#include <random>

#include "engine_run.hpp"

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;
using test::EngineRun;
using test::start;

/// Round numbers: 10 ms a token, 1000 prompt tokens a second, no effect of depth or overhead.
BatchPhysics round_physics() {
  BatchPhysics physics;
  physics.token_time = 10ms;
  physics.batch_factor = {{1, 1}, {2, 1.5}, {4, 2}};
  physics.decode_depth = 1e12;
  physics.prompt_rate = 1000;
  physics.prompt_depth = 1e12;
  physics.overhead = 0ms;
  physics.parallel = 2;
  return physics;
}

double between(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  return a && b ? test::seconds_of(*b - *a) : -1;
}

TEST(BatchEngine, first_token_comes_after_overhead_and_prompt) {
  BatchPhysics physics = round_physics();
  physics.overhead = 100ms;
  BatchEngine engine(physics, 0, 1);
  EngineRun run(engine);
  const JobId job = run.submit(500, 101, start);
  run.play_out();
  EXPECT_NEAR(between(start, run[job].prompt_started), 0.1, 1e-6);
  EXPECT_NEAR(between(start, run[job].first_token), 0.6, 1e-6);
  EXPECT_EQ(run[job].tokens, 101u);
  // 100 more tokens of 10 ms; the last burst may leave some token times late.
  EXPECT_NEAR(between(run[job].first_token, run[job].finished), 1.0, 0.1);
  EXPECT_GE(between(run[job].first_token, run[job].finished), 1.0 - 1e-6);
  EXPECT_EQ(engine.running(), 0u);
}

TEST(BatchEngine, excess_requests_wait_silently_in_order) {
  BatchEngine engine(round_physics(), 0, 1);
  EngineRun run(engine);
  std::vector<JobId> jobs;
  for (int i = 0; i < 40; ++i) jobs.push_back(run.submit(100, 10, start));
  EXPECT_EQ(engine.running(), 2u);
  EXPECT_EQ(engine.waiting(), 38u);
  run.play_out();
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    EXPECT_LT(*run[jobs[i - 1]].first_token, *run[jobs[i]].first_token);
    EXPECT_EQ(run[jobs[i]].tokens, 10u);
  }
}

TEST(BatchEngine, prompts_are_processed_one_at_a_time) {
  BatchEngine engine(round_physics(), 0, 1);
  EngineRun run(engine);
  const JobId first = run.submit(1000, 1, start);
  const JobId second = run.submit(1000, 1, start);
  run.play_out();
  EXPECT_NEAR(between(start, run[first].first_token), 1.0, 1e-6);
  EXPECT_NEAR(between(start, run[second].prompt_started), 1.0, 1e-6);
  EXPECT_NEAR(between(start, run[second].first_token), 2.0, 1e-6);
}

TEST(BatchEngine, sequences_slow_each_other_down_by_the_table) {
  for (const std::uint32_t n : {1u, 2u, 3u, 4u}) {
    BatchPhysics physics = round_physics();
    physics.parallel = 4;
    BatchEngine engine(physics, 0, 1);
    EngineRun run(engine);
    std::vector<JobId> jobs;
    for (std::uint32_t i = 0; i < n; ++i) jobs.push_back(run.submit(1, 1001, start));
    run.play_out();
    const double expected[] = {0, 10.0, 15.0, 17.5, 20.0};
    EXPECT_NEAR(between(run[jobs[0]].first_token, run[jobs[0]].finished), expected[n], 0.15) << n;
  }
}

TEST(BatchEngine, a_running_prompt_lets_one_token_through_per_chunk) {
  BatchEngine engine(round_physics(), 0, 1);
  EngineRun run(engine);
  const JobId reader = run.submit(1, 400, start);
  run.play_to(start + 1s);
  const std::uint32_t before = run[reader].tokens;
  EXPECT_NEAR(before, 100, 5);
  const JobId prompt = run.submit(4 * 2048, 1, start + 1s);
  run.play_to(start + 1s + 8s);
  EXPECT_FALSE(run[prompt].first_token);
  EXPECT_NEAR(run[reader].tokens, before + 4,
              4);  // 8 s of prompt in 4 chunks, bursts of 3 at most.
  run.play_out();
  // 4 chunks and 4 decode steps, after the step that was under way.
  EXPECT_NEAR(between(start + 1s, run[prompt].first_token), 8.192 + 0.03, 0.02);
}

TEST(BatchEngine, an_old_engine_stops_decoding_for_the_whole_prompt) {
  BatchPhysics physics = round_physics();
  physics.prompt_stops_decoding = true;
  BatchEngine engine(physics, 0, 1);
  EngineRun run(engine);
  const JobId reader = run.submit(1, 400, start);
  const JobId prompt = run.submit(4 * 2048, 1, start + 1s);
  run.play_to(start + 1100ms);
  const std::uint32_t before = run[reader].tokens;
  run.play_to(start + 9s);
  EXPECT_EQ(run[reader].tokens, before);
  run.play_out();
  EXPECT_NEAR(between(start + 1s, run[prompt].first_token), 8.192, 0.011);
}

TEST(BatchEngine, depth_slows_prompt_and_tokens) {
  BatchPhysics physics = round_physics();
  physics.prompt_depth = 1000;
  physics.decode_depth = 1000;
  BatchEngine engine(physics, 0, 1);
  EngineRun run(engine);
  const JobId job = run.submit(1000, 2, start);
  run.play_out();
  EXPECT_NEAR(between(start, run[job].first_token), 1.5, 1e-6);        // Mean depth 500.
  EXPECT_GE(between(run[job].first_token, run[job].finished), 0.020);  // 10 ms x (1 + 1001/1000).
}

TEST(BatchEngine, a_repeated_prefix_is_not_processed_again) {
  BatchEngine engine(round_physics(), 0, 1);
  EngineRun run(engine);
  const std::vector<std::uint64_t> prefix = {11, 12, 13, 14};  // 256 tokens.
  const JobId cold = run.submit(300, 1, start, prefix);
  const JobId warm = run.submit(300, 1, start + 1s, prefix);
  const JobId partly = run.submit(300, 1, start + 2s, {11, 12, 99, 14});
  const JobId whole = run.submit(256, 1, start + 3s, prefix);
  run.play_out();
  EXPECT_EQ(run[cold].cached, 0u);
  EXPECT_EQ(run[warm].cached, 256u);
  EXPECT_NEAR(between(start + 1s, run[warm].first_token), 0.044, 1e-6);
  EXPECT_EQ(run[partly].cached, 128u);  // Nothing behind the first difference counts.
  EXPECT_EQ(run[whole].cached, 255u);   // The last token is always computed.
}

TEST(BatchEngine, a_waiting_or_decoding_job_is_cancelled_at_once) {
  BatchEngine engine(round_physics(), 1, 1);
  EngineRun run(engine);
  const JobId decoding = run.submit(100, 1000, start);
  const JobId queued = run.submit(100, 10, start);
  const JobId next = run.submit(100, 10, start);
  run.play_to(start + 1s);
  run.cancel(queued, start + 1s);
  EXPECT_EQ(engine.waiting(), 1u);
  run.cancel(decoding, start + 1s);
  EXPECT_EQ(engine.waiting(), 0u);
  EXPECT_EQ(engine.running(), 1u);
  const std::uint32_t given = run[decoding].tokens;
  run.play_out();
  EXPECT_EQ(run[decoding].tokens, given);
  EXPECT_EQ(run[decoding].cancelled, start + 1s);
  EXPECT_EQ(run[queued].cancelled, start + 1s);
  EXPECT_FALSE(run[queued].first_token);
  EXPECT_NEAR(between(start + 1s, run[next].first_token), 0.1, 0.011);
}

TEST(BatchEngine, a_cancelled_prompt_is_finished_first) {
  BatchEngine engine(round_physics(), 1, 1);
  EngineRun run(engine);
  const JobId gone = run.submit(5000, 1000, start, {1, 2, 3});
  const JobId next = run.submit(100, 1, start);
  run.cancel(gone, start + 1s);
  EXPECT_EQ(engine.running(), 1u);
  EXPECT_TRUE(engine.prompt_running());
  EXPECT_EQ(engine.waiting(), 1u);
  run.play_out();
  EXPECT_EQ(run[gone].tokens, 0u);
  EXPECT_NEAR(between(start, run[gone].cancelled), 5.0, 1e-6);
  EXPECT_NEAR(between(start, run[next].first_token), 5.1, 1e-6);
}

TEST(BatchEngine, cancelling_what_is_over_or_unknown_changes_nothing) {
  BatchEngine engine(round_physics(), 1, 1);
  EngineRun run(engine);
  const JobId job = run.submit(10, 1, start);
  run.play_out();
  run.cancel(job, run.last());
  run.cancel(JobId(77), run.last());
  run.play_out();
  EXPECT_FALSE(run[job].cancelled);
  EXPECT_TRUE(run[job].finished);
  EXPECT_FALSE(engine.next_event());
}

TEST(BatchEngine, the_same_seed_tells_the_same_story_however_often_it_is_asked) {
  const auto story = [](std::uint64_t seed, Duration step) {
    BatchEngine engine(round_physics(), 0, seed);
    EngineRun run(engine);
    for (int i = 0; i < 6; ++i) run.submit(300, 50, start + i * 100ms);
    for (TimePoint t = start; t < start + 30s; t += step) run.play_to(t);
    std::vector<std::tuple<TimePoint, JobId, EventKind, std::uint32_t>> out;
    for (const auto& e : run.events()) out.emplace_back(e.at, e.job, e.kind, e.tokens);
    return out;
  };
  EXPECT_EQ(story(1, 1ms), story(1, 7s));
  EXPECT_NE(story(1, 1s), story(2, 1s));
}

/// Random submissions and cancellations: every job ends exactly once, no slot is lost or used
/// twice.
TEST(BatchEngine, keeps_its_promises_over_random_histories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    BatchPhysics physics = round_physics();
    physics.parallel = 1 + static_cast<std::uint32_t>(random() % 4);
    physics.overhead = 20ms;
    physics.prompt_stops_decoding = random() % 4 == 0;
    BatchEngine engine(physics, 0, seed);
    EngineRun run(engine);
    std::vector<std::pair<JobId, std::uint32_t>> jobs;
    TimePoint now = start;
    for (int i = 0; i < 60; ++i) {
      now += std::chrono::milliseconds(random() % 200);
      if (!jobs.empty() && random() % 4 == 0) {
        run.cancel(jobs[random() % jobs.size()].first, now);
      } else {
        const auto answer = static_cast<std::uint32_t>(1 + random() % 30);
        const auto prompt = static_cast<std::uint32_t>(1 + random() % 5000);
        jobs.emplace_back(run.submit(prompt, answer, now, {random() % 3, random() % 3}), answer);
      }
      ASSERT_LE(engine.running(), physics.parallel);
      ASSERT_TRUE(engine.waiting() == 0 || engine.running() == physics.parallel) << seed;
    }
    run.play_out();
    EXPECT_EQ(engine.running() + engine.waiting(), 0u);
    for (const auto& [job, answer] : jobs) {
      const auto& story = run[job];
      EXPECT_NE(story.finished.has_value(), story.cancelled.has_value()) << seed;
      EXPECT_TRUE(!story.finished || story.tokens == answer);
    }
    for (std::size_t i = 1; i < run.events().size(); ++i) {
      ASSERT_LE(run.events()[i - 1].at, run.events()[i].at);
    }
  }
}

TEST(BatchEngine, a_prompt_tells_how_far_it_is_after_each_chunk) {
  BatchEngine engine(round_physics(), 0, 1);
  EngineRun run(engine);
  const JobId job = run.submit(5000, 2, start);
  run.play_out();
  EXPECT_EQ(run[job].prompt_progress, (std::vector<std::uint32_t>{2048, 4096, 5000}));
}

}  // namespace
}  // namespace lmb::sim
