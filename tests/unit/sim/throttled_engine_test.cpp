#include "throttled_engine.hpp"

#include <gtest/gtest.h>

#include "batch_engine.hpp"
#include "engine_run.hpp"

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;
using test::EngineRun;
using test::seconds_of;
using test::start;

/// 10 ms a token, 1000 prompt tokens a second, one at a time.
std::unique_ptr<Engine> plain_engine() {
  BatchPhysics physics;
  physics.token_time = 10ms;
  physics.batch_factor = {{1, 1}};
  physics.decode_depth = 1e12;
  physics.prompt_rate = 1000;
  physics.prompt_depth = 1e12;
  physics.parallel = 1;
  return std::make_unique<BatchEngine>(physics, 0, 7);
}

TEST(ThrottledEngine, a_cold_machine_changes_nothing) {
  const auto plain = plain_engine();
  ThrottledEngine throttled(plain_engine(), ThermalPhysics());
  EngineRun bare(*plain);
  EngineRun wrapped(throttled);
  for (EngineRun* run : {&bare, &wrapped}) {
    run->submit(300, 50, start);
    run->submit(3000, 9, start + 100ms);
    run->play_out();
  }
  ASSERT_EQ(bare.events().size(), wrapped.events().size());
  for (std::size_t i = 0; i < bare.events().size(); ++i) {
    EXPECT_EQ(bare.events()[i].at, wrapped.events()[i].at);
    EXPECT_EQ(bare.events()[i].kind, wrapped.events()[i].kind);
    EXPECT_EQ(bare.events()[i].tokens, wrapped.events()[i].tokens);
  }
}

TEST(ThrottledEngine, slowed_down_it_takes_as_many_times_as_long) {
  ThrottledEngine engine(plain_engine(), ThermalPhysics());
  EngineRun run(engine);
  const JobId before = run.submit(1000, 1, start);
  run.play_out();
  engine.set_slowdown(4, start + 10s);
  const JobId after = run.submit(1000, 1, start + 10s);
  run.play_out();
  EXPECT_NEAR(seconds_of(*run[before].first_token - start), 1, 1e-6);
  EXPECT_NEAR(seconds_of(*run[after].first_token - (start + 10s)), 4, 1e-6);
  engine.set_slowdown(1, start + 20s);
  const JobId again = run.submit(1000, 1, start + 20s);
  run.play_out();
  EXPECT_NEAR(seconds_of(*run[again].first_token - (start + 20s)), 1, 1e-6);
}

TEST(ThrottledEngine, a_change_in_the_middle_counts_from_there) {
  ThrottledEngine engine(plain_engine(), ThermalPhysics());
  EngineRun run(engine);
  const JobId job = run.submit(1000, 1, start);
  run.play_to(start + 500ms);
  engine.set_slowdown(10, start + 500ms);
  run.play_out();
  EXPECT_NEAR(seconds_of(*run[job].first_token - start), 0.5 + 5, 1e-6);
}

TEST(ThrottledEngine, work_heats_and_rest_cools) {
  ThermalPhysics thermal;
  thermal.slowest = 2;
  thermal.heats_in = 100s;
  thermal.cools_in = 50s;
  ThrottledEngine engine(plain_engine(), thermal);
  EngineRun run(engine);
  // Ten seconds' worth of prompt again and again: the first is done cold, the last hot.
  std::vector<double> took;
  TimePoint at = start;
  for (int i = 0; i < 20; ++i) {
    const JobId job = run.submit(10'000, 1, at);
    run.play_out();
    took.push_back(seconds_of(*run[job].finished - at));
    at = *run[job].finished;
  }
  EXPECT_NEAR(took.front(), 10.5, 0.3);
  for (std::size_t i = 1; i < took.size(); ++i) EXPECT_GE(took[i], took[i - 1] - 1e-6);
  EXPECT_NEAR(took.back(), 20, 1e-3);
  const auto after_rest = [&](Duration rest) {
    at += rest;
    const JobId job = run.submit(1000, 1, at);
    run.play_out();
    const double seconds = seconds_of(*run[job].finished - at);
    at = *run[job].finished;
    return seconds;
  };
  EXPECT_NEAR(after_rest(25s), 1.5, 0.05);
  EXPECT_NEAR(after_rest(500s), 1, 0.02);
}

TEST(ThrottledEngine, wedged_it_takes_in_and_gives_nothing_out) {
  ThrottledEngine engine(plain_engine(), ThermalPhysics());
  EngineRun run(engine);
  const JobId running = run.submit(100, 1000, start);
  run.play_to(start + 1s);
  const auto given = run[running].tokens;
  EXPECT_GT(given, 0u);
  engine.set_wedged(true, start + 1s);
  const JobId waiting = run.submit(100, 10, start + 2s);
  EXPECT_EQ(engine.next_event(), std::nullopt);
  run.play_to(start + 1h);
  EXPECT_EQ(run[running].tokens, given);
  EXPECT_EQ(engine.running(), 1u);
  EXPECT_EQ(engine.waiting(), 1u);
  run.cancel(running, start + 1h);
  run.play_to(start + 2h);
  EXPECT_FALSE(run[running].cancelled);  // It does not notice.
  engine.set_wedged(false, start + 2h);
  run.play_out();
  EXPECT_EQ(run[running].cancelled, start + 2h);
  EXPECT_EQ(run[waiting].tokens, 10u);
}

TEST(ThrottledEngine, its_clock_may_begin_anywhere_and_rest_for_years) {
  ThrottledEngine engine(plain_engine(), ThermalPhysics{3, 10s, 10s});
  EngineRun run(engine);
  const TimePoint late = start + std::chrono::hours(24 * 365 * 5);
  const JobId job = run.submit(1000, 1, late);
  run.play_out();
  EXPECT_NEAR(seconds_of(*run[job].first_token - late), 1.1, 0.11);
}

}  // namespace
}  // namespace lmb::sim
