#include "lmb/bench/load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "lmb/bench/run_summary.hpp"
#include "servers.hpp"

namespace lmb::bench {
namespace {

using namespace test;
using std::chrono::milliseconds;

std::map<std::string, std::size_t> failures_of(const LoadReport& report) {
  std::map<std::string, std::size_t> out;
  for (const auto& sample : report.samples) {
    if (sample.outcome == Outcome::failed) ++out[failure_label(sample)];
  }
  return out;
}

std::size_t count(const LoadReport& report, Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(report.samples.begin(), report.samples.end(),
                    [&](const auto& sample) { return sample.outcome == outcome; }));
}

/// What became of `requests` requests to a worker that plays `fault` on `faults` of them.
LoadReport run_with_fault(sim::Fault fault, std::uint32_t faults, std::size_t requests) {
  SimulatedWorker worker;
  worker.fleet().set_fault(0, fault, sim::FaultScope::generation, faults);
  return run_load(plan_for(worker.port(), requests));
}

TEST(Load, sends_each_request_once_over_kept_connections) {
  SimulatedWorker worker;
  LoadPlan plan = plan_for(worker.port(), 40);
  plan.warmup = 8;
  const LoadReport report = run_load(plan);
  ASSERT_EQ(report.samples.size(), 40u);
  EXPECT_EQ(count(report, Outcome::complete), 40u);
  std::vector<std::size_t> indices;
  for (const auto& sample : report.samples) indices.push_back(sample.index);
  std::sort(indices.begin(), indices.end());
  for (std::size_t i = 0; i < indices.size(); ++i) EXPECT_EQ(indices[i], i);
  const auto counters = worker.counters();
  EXPECT_EQ(counters.started, 48u);
  EXPECT_EQ(counters.finished, 48u);
  EXPECT_LE(counters.connections_accepted, 4u);
  EXPECT_EQ(counters.running_max, 4u) << "four clients at once, no more";
  EXPECT_EQ(counters.cached_tokens, 0u) << "no prompt begins like another";
}

TEST(Load, times_streams_in_their_order) {
  SimulatedWorker worker;
  const LoadReport report = run_load(plan_for(worker.port(), 20));
  ASSERT_EQ(report.samples.size(), 20u);
  for (const auto& sample : report.samples) {
    ASSERT_TRUE(sample.head && sample.first_token && sample.last_token);
    EXPECT_GT(*sample.head, Duration::zero());
    EXPECT_GE(*sample.first_token, *sample.head);
    EXPECT_GE(*sample.last_token, *sample.first_token) << "a slow machine reads several at once";
    EXPECT_GE(sample.end, *sample.last_token);
    EXPECT_LE(sample.start + sample.end, report.wall + sample.start);
    EXPECT_EQ(sample.token_source, TokenSource::usage);
    EXPECT_GE(sample.generated_tokens, 2u);
    EXPECT_LE(sample.generated_tokens, 32u);
    EXPECT_GT(sample.prompt_tokens, 0u);
  }
  const RunSummary run = summarize(report);
  EXPECT_EQ(run.generated_tokens, worker.counters().generated_tokens);
  EXPECT_GT(run.in_flight, 1);
  EXPECT_LE(run.in_flight, 4.0001) << "a closed loop of four clients";
}

TEST(Load, takes_whole_answers_too) {
  SimulatedWorker worker;
  LoadPlan plan = plan_for(worker.port(), 12);
  plan.stream = false;
  const LoadReport report = run_load(plan);
  EXPECT_EQ(count(report, Outcome::complete), 12u);
  const RunSummary run = summarize(report);
  EXPECT_TRUE(run.first_token.empty());
  EXPECT_EQ(run.generated_tokens, worker.counters().generated_tokens);
}

TEST(Load, leaves_exactly_the_requests_it_drew) {
  SimulatedWorker worker;
  LoadPlan plan = plan_for(worker.port(), 200);
  plan.concurrency = 8;
  plan.abort_share = 0.4;
  plan.abort_tokens_max = 8;  // Answers are longer: none can end before its client leaves.
  plan.seed = 11;
  const std::size_t aborts = planned_aborts(plan);
  ASSERT_GT(aborts, 50u);
  ASSERT_LT(aborts, 110u);
  const LoadReport report = run_load(plan);
  EXPECT_EQ(count(report, Outcome::aborted), aborts);
  EXPECT_EQ(count(report, Outcome::complete), 200 - aborts);
  EXPECT_EQ(count(report, Outcome::failed), 0u);
  const auto left_mid_stream =
      std::count_if(report.samples.begin(), report.samples.end(), [](const auto& sample) {
        return sample.outcome == Outcome::aborted && sample.first_token.has_value();
      });
  EXPECT_GT(left_mid_stream, static_cast<std::ptrdiff_t>(aborts / 2));
}

TEST(Load, repeats_the_same_aborts_for_the_same_seed) {
  const auto aborted = [](std::size_t concurrency) {
    SimulatedWorker worker;
    LoadPlan plan = plan_for(worker.port(), 60);
    plan.concurrency = concurrency;
    plan.abort_share = 0.5;
    plan.abort_tokens_max = 4;
    std::vector<std::size_t> out;
    for (const auto& sample : run_load(plan).samples) {
      if (sample.outcome == Outcome::aborted) out.push_back(sample.index);
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  EXPECT_EQ(aborted(2), aborted(6)) << "whatever the order of the requests";
}

TEST(Load, counts_a_refused_connection) {
  const LoadReport report = run_load(plan_for(closed_port(), 20));
  EXPECT_EQ(failures_of(report), (std::map<std::string, std::size_t>{{"connect_failed", 20}}));
}

TEST(Load, counts_failures_by_kind_and_goes_on) {
  using sim::Fault;
  const std::map<Fault, std::string> kinds = {{Fault::status_500, "http_500"},
                                              {Fault::error_400_crash, "http_400"},
                                              {Fault::close_mid_stream, "cut_answer"},
                                              {Fault::reset_mid_stream, "cut_answer"},
                                              {Fault::close_before_head, "closed_before_answer"},
                                              {Fault::garbage, "bad_answer"},
                                              {Fault::error_in_stream, "stream_error"},
                                              {Fault::error_mid_stream, "stream_error"}};
  for (const auto& [fault, label] : kinds) {
    const LoadReport report = run_with_fault(fault, 5, 12);
    EXPECT_EQ(failures_of(report), (std::map<std::string, std::size_t>{{label, 5}}))
        << to_string(fault);
    EXPECT_EQ(count(report, Outcome::complete), 7u) << to_string(fault);
  }
}

TEST(Load, gives_up_at_its_timeout) {
  SimulatedWorker worker;
  worker.fleet().set_fault(0, sim::Fault::stall_before_head, sim::FaultScope::generation, 2);
  LoadPlan plan = plan_for(worker.port(), 2);
  plan.timeout = milliseconds(150);
  const LoadReport report = run_load(plan);
  EXPECT_EQ(failures_of(report), (std::map<std::string, std::size_t>{{"timeout", 2}}));
  for (const auto& sample : report.samples) EXPECT_GE(sample.end, milliseconds(150));
}

TEST(Load, keeps_the_servers_words) {
  const LoadReport report = run_with_fault(sim::Fault::error_400_crash, 1, 1);
  ASSERT_EQ(report.samples.size(), 1u);
  EXPECT_NE(report.samples[0].error_message.find("has crashed"), std::string::npos);
}

TEST(Load, reads_the_balancers_headers_and_connects_anew_when_told_to) {
  int answered = 0;
  ScriptedServer server([&](http::Exchange& exchange) -> asio::awaitable<void> {
    exchange.add_field("x-lmb-worker", ++answered % 4 == 0 ? "b" : "a");
    exchange.add_field("Server-Timing", "queue;dur=1.5, prefill;dur=2");
    exchange.close_after();
    std::string body = R"({"choices":[{"message":{"content":"hi"}}]})";
    co_await exchange.respond(200, "application/json", std::move(body));
  });
  LoadPlan plan = plan_for(server.port(), 20);
  plan.stream = false;
  const RunSummary run = summarize(run_load(plan));
  EXPECT_EQ(run.complete, 20u);
  ASSERT_EQ(run.workers.size(), 2u);
  EXPECT_EQ(run.workers[0].requests, 15u);
  EXPECT_EQ(run.workers[1].requests, 5u);
  ASSERT_TRUE(run.queue.has_value());
  EXPECT_EQ(run.queue->answers, 20u);
  EXPECT_EQ(run.queue->mean, Duration(std::chrono::microseconds(1500)));
  EXPECT_EQ(server.connections_accepted(), 20u);
}

TEST(Load, tells_its_progress_and_its_own_costs) {
  SimulatedWorker worker;
  LoadPlan plan = plan_for(worker.port(), 10);
  plan.warmup = 3;
  std::vector<Progress> told;
  plan.on_progress = [&](const Progress& progress) { told.push_back(progress); };
  const LoadReport report = run_load(plan);
  ASSERT_GE(told.size(), 2u);
  const auto last_warmup = std::find_if(told.begin(), told.end(), [](const Progress& p) {
    return p.warming_up && p.done == 3 && p.total == 3;
  });
  EXPECT_NE(last_warmup, told.end());
  EXPECT_FALSE(told.back().warming_up);
  EXPECT_EQ(told.back().done, 10u);
  EXPECT_GT(report.watch.cpu, Duration::zero());
  EXPECT_FALSE(report.watch.loop_lags.empty());
}

TEST(Load, ends_early_at_a_signal_with_what_it_has) {
  SimulatedWorker worker;
  LoadPlan plan = plan_for(worker.port(), 10);
  plan.catch_signals = true;
  plan.warmup = 2;
  bool raised = false;
  plan.on_progress = [&](const Progress& progress) {
    if (progress.warming_up && progress.done == progress.total) {
      worker.fleet().set_fault(0, sim::Fault::stall_before_head);
    }
    if (!progress.warming_up && !std::exchange(raised, true)) std::raise(SIGINT);
  };
  const LoadReport report = run_load(plan);
  EXPECT_TRUE(report.interrupted);
  EXPECT_TRUE(report.samples.empty()) << "what an interruption ends is no result";
}

}  // namespace
}  // namespace lmb::bench
