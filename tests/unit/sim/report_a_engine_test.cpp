#include "report_a_engine.hpp"

#include <gtest/gtest.h>

#include "engine_run.hpp"

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;
using test::EngineRun;
using test::start;

constexpr SharedWorkPhysics physics{3480ms, 275ms, 32};

TEST(ReportAEngine, n_requests_together_take_R_of_n) {
  for (const int n : {1, 6, 12, 24, 32}) {
    ReportAEngine engine(physics, 0);
    EngineRun run(engine);
    std::vector<JobId> jobs;
    for (int i = 0; i < n; ++i) jobs.push_back(run.submit(100, 64, start));
    run.play_out();
    for (const JobId job : jobs) {
      EXPECT_NEAR(test::seconds_of(*run[job].finished - start), 3.48 + 0.275 * n, 1e-6);
      EXPECT_EQ(run[job].tokens, 64u);
    }
  }
}

TEST(ReportAEngine, progress_changes_as_others_come_and_go) {
  ReportAEngine engine(physics, 0);
  EngineRun run(engine);
  const JobId first = run.submit(1, 10, start);
  const JobId second = run.submit(1, 10, start + 2s);
  run.play_out();
  // Alone for 2 s at 1/3.755, together at 1/4.03, then the second alone again.
  const double left_of_first = 1 - 2 / 3.755;
  const double together = left_of_first * 4.03;
  const double left_of_second = 1 - together / 4.03;
  EXPECT_NEAR(test::seconds_of(*run[first].finished - start), 2 + together, 1e-6);
  EXPECT_NEAR(test::seconds_of(*run[second].finished - start),
              2 + together + left_of_second * 3.755, 1e-6);
}

TEST(ReportAEngine, the_thirty_third_waits) {
  ReportAEngine engine(physics, 0);
  EngineRun run(engine);
  for (int i = 0; i < 32; ++i) run.submit(1, 4, start);
  const JobId late = run.submit(1, 4, start);
  EXPECT_EQ(engine.running(), 32u);
  EXPECT_EQ(engine.waiting(), 1u);
  run.play_out();
  EXPECT_NEAR(test::seconds_of(*run[late].prompt_started - start), 3.48 + 0.275 * 32, 1e-6);
  EXPECT_NEAR(test::seconds_of(*run[late].finished - *run[late].prompt_started), 3.755, 1e-6);
}

TEST(ReportAEngine, tokens_come_evenly) {
  ReportAEngine engine(physics, 0);
  EngineRun run(engine);
  const JobId job = run.submit(1, 5, start);
  run.play_out();
  ASSERT_EQ(run[job].token_times.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(test::seconds_of(run[job].token_times[static_cast<std::size_t>(i)] - start),
                3.755 * (i + 1) / 5, 1e-6);
  }
}

TEST(ReportAEngine, a_cancelled_request_leaves_at_once) {
  ReportAEngine engine(physics, 1);
  EngineRun run(engine);
  const JobId first = run.submit(1, 4, start);
  const JobId second = run.submit(1, 4, start);
  const JobId third = run.submit(1, 4, start);
  run.cancel(third, start + 500ms);
  run.cancel(first, start + 1s);
  EXPECT_EQ(engine.running(), 1u);
  run.play_out();
  EXPECT_EQ(run[first].cancelled, start + 1s);
  EXPECT_EQ(run[third].cancelled, start + 500ms);
  EXPECT_FALSE(run[third].prompt_started);
  EXPECT_NEAR(test::seconds_of(*run[second].finished - start), 1 + 3.755, 1e-6);
}

/// DESIGN.md section 1: 1.17 requests/s at concurrency 6, 1.77 at 12, in a closed loop.
TEST(ReportAEngine, reaches_the_report_s_throughput_in_a_closed_loop) {
  for (const auto& [concurrency, reported] : {std::pair(6, 1.17), std::pair(12, 1.77)}) {
    ReportAEngine engine(physics, 0);
    TimePoint now = start;
    int done = 0;
    for (int i = 0; i < concurrency; ++i) {
      Job job;
      job.answer_tokens = 1;
      engine.submit(job, now);
    }
    while (done < 600) {
      now = *engine.next_event();
      for (const auto& event : engine.advance(now)) {
        if (event.kind != EventKind::finished) continue;
        ++done;
        Job job;
        job.answer_tokens = 1;
        engine.submit(job, now);
      }
    }
    EXPECT_NEAR(done / test::seconds_of(now - start), reported, 0.01 * reported);
  }
}

}  // namespace
}  // namespace lmb::sim
