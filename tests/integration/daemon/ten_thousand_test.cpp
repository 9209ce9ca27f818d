// 10,000 streamed requests through three simulated workers, a share of which their clients abandon
// at random: each is answered once or aborted, and nothing of any is left behind.
#include <gtest/gtest.h>

#include <cstdint>

#include "lmb/bench/load.hpp"
#include "lmb/bench/target.hpp"
#include "support/daemon.hpp"

namespace lmb::test {
namespace {

constexpr std::size_t request_count = 10'000;

struct Outcomes {
  std::size_t complete = 0;
  std::size_t aborted = 0;
  std::size_t failed = 0;
};

Outcomes count(const bench::LoadReport& report) {
  Outcomes out;
  for (const auto& sample : report.samples) {
    switch (sample.outcome) {
      case bench::Outcome::complete:
        ++out.complete;
        break;
      case bench::Outcome::aborted:
        ++out.aborted;
        break;
      case bench::Outcome::failed:
        ++out.failed;
        ADD_FAILURE() << bench::failure_label(sample) << ": " << sample.error_message;
        break;
    }
    if (out.failed > 5) break;
  }
  return out;
}

double sum_over(const Daemon& daemon, const std::string& before, const std::string& after) {
  double sum = 0;
  for (const auto* worker : {"w1", "w2", "w3", "none"})
    sum += daemon.metric(before + worker + after);
  return sum;
}

TEST(TenThousand, streamed_requests_with_random_aborts_leave_nothing_behind) {
  DaemonOptions options;
  options.threads = 2;
  options.speed = 3000;
  Daemon daemon(options);
  bench::LoadPlan plan;
  const auto target = bench::parse_target(daemon.url());
  ASSERT_TRUE(target.has_value());
  plan.target = *target;
  plan.model = model;
  plan.concurrency = 48;
  plan.requests = request_count;
  plan.prompt_tokens = 16;
  plan.max_tokens = 24;
  plan.abort_share = 0.2;
  plan.seed = 11;
  const auto report = bench::run_load(plan);
  const auto outcomes = count(report);
  EXPECT_EQ(outcomes.complete + outcomes.aborted, request_count);
  EXPECT_GT(outcomes.aborted, request_count / 20);
  EXPECT_LE(outcomes.aborted, bench::planned_aborts(plan));

  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
  EXPECT_EQ(daemon.server().fleet().queued, 0U);
  EXPECT_EQ(daemon.metric("lmbalancer_queue_depth"), 0);
  // Every request is counted once: those answered as 200, those abandoned before their head as
  // none. A client that leaves before its request was read whole was never a request.
  EXPECT_TRUE(eventually([&] { return daemon.metric("lmbalancer_client_connections") == 1; }));
  const std::string prefix = R"(lmbalancer_requests_total{code=")";
  const std::string middle = R"(",route="/v1/chat/completions",worker=")";
  const double answered = sum_over(daemon, prefix + "200" + middle, "\"}");
  const double unanswered = sum_over(daemon, prefix + "none" + middle, "\"}");
  EXPECT_GE(answered, static_cast<double>(outcomes.complete));
  EXPECT_LE(answered + unanswered, static_cast<double>(request_count));
  EXPECT_GE(answered + unanswered, static_cast<double>(outcomes.complete));
  for (std::size_t i = 0; i < daemon.fleet().size(); ++i) {
    EXPECT_TRUE(eventually([&] { return daemon.fleet().counters(i).running == 0; }));
  }
}

}  // namespace
}  // namespace lmb::test
