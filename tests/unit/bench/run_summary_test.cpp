#include "lmb/bench/run_summary.hpp"

#include <gtest/gtest.h>

namespace lmb::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RequestSample complete(std::string worker, Duration first, Duration last, std::uint64_t tokens) {
  RequestSample sample;
  sample.outcome = Outcome::complete;
  sample.status = 200;
  sample.worker = std::move(worker);
  sample.head = first;
  sample.first_token = first;
  sample.last_token = last;
  sample.end = last;
  sample.prompt_tokens = 10;
  sample.generated_tokens = tokens;
  sample.token_source = TokenSource::usage;
  return sample;
}

RequestSample failed(Failure failure, unsigned status, Duration end) {
  RequestSample sample;
  sample.failure = failure;
  sample.status = status;
  sample.end = end;
  return sample;
}

LoadReport report_of(std::vector<RequestSample> samples, Duration wall) {
  LoadReport report;
  report.concurrency = 2;
  report.requests = samples.size();
  report.samples = std::move(samples);
  report.wall = wall;
  return report;
}

TEST(RunSummary, computes_rates_over_the_wall_time) {
  const auto run = summarize(report_of(
      {complete("a", seconds(1), seconds(3), 21), complete("b", seconds(2), seconds(3), 11)},
      seconds(4)));
  EXPECT_DOUBLE_EQ(run.request_rate, 0.5);
  EXPECT_DOUBLE_EQ(run.token_rate, 8);
  EXPECT_DOUBLE_EQ(run.prompt_token_rate, 5);
  EXPECT_DOUBLE_EQ(run.success(), 1);
  EXPECT_EQ(run.response_time.mean(), seconds(3));
  EXPECT_EQ(run.first_token.mean(), milliseconds(1500));
}

TEST(RunSummary, spreads_the_time_after_the_first_token_over_the_others) {
  // 2 s over 20 gaps; one token has no gap and does not count.
  const auto run = summarize(report_of(
      {complete("a", seconds(1), seconds(3), 21), complete("a", seconds(1), seconds(1), 1)},
      seconds(4)));
  EXPECT_EQ(run.time_per_output_token.size(), 1u);
  EXPECT_EQ(run.time_per_output_token.mean(), milliseconds(100));
}

TEST(RunSummary, keeps_failures_and_aborts_out_of_the_times) {
  RequestSample left = complete("a", milliseconds(1), milliseconds(2), 3);
  left.outcome = Outcome::aborted;
  const auto run = summarize(report_of(
      {complete("a", seconds(1), seconds(3), 21), left, failed(Failure::timeout, 0, seconds(600))},
      seconds(600)));
  EXPECT_EQ(run.complete, 1u);
  EXPECT_EQ(run.aborted, 1u);
  EXPECT_EQ(run.failed, 1u);
  EXPECT_EQ(run.requests, 3u);
  EXPECT_EQ(run.response_time.size(), 1u);
  EXPECT_EQ(run.first_token.size(), 1u);
  EXPECT_EQ(run.generated_tokens, 21u);
  EXPECT_DOUBLE_EQ(run.success(), 0.5) << "an abort counts neither way";
}

TEST(RunSummary, counts_failures_by_label_with_an_example) {
  RequestSample first = failed(Failure::http_status, 503, {});
  RequestSample second = first;
  second.error_message = "queue full";
  const auto run = summarize(report_of({failed(Failure::connect_failed, 0, {}), first, second,
                                        failed(Failure::http_status, 500, {})},
                                       seconds(1)));
  ASSERT_EQ(run.failures.size(), 3u);
  EXPECT_EQ(run.failures[0].label, "http_503");
  EXPECT_EQ(run.failures[0].count, 2u);
  EXPECT_EQ(run.failures[0].example, "queue full");
  EXPECT_EQ(run.failures[1].label, "connect_failed");
  EXPECT_EQ(run.failures[2].label, "http_500");
}

TEST(RunSummary, shares_requests_between_workers) {
  RequestSample bad = failed(Failure::cut_answer, 200, seconds(1));
  bad.worker = "b";
  const auto run = summarize(report_of(
      {complete("b", seconds(1), seconds(2), 5), complete("a", seconds(1), seconds(2), 7),
       complete("b", seconds(1), seconds(2), 5), bad, failed(Failure::connect_failed, 0, {})},
      seconds(2)));
  ASSERT_EQ(run.workers.size(), 2u);
  EXPECT_EQ(run.workers[0].name, "a");
  EXPECT_DOUBLE_EQ(run.workers[0].share, 0.25);
  EXPECT_EQ(run.workers[1].requests, 3u);
  EXPECT_EQ(run.workers[1].complete, 2u);
  EXPECT_EQ(run.workers[1].failed, 1u);
  EXPECT_EQ(run.workers[1].generated_tokens, 10u);
  EXPECT_DOUBLE_EQ(run.workers[1].share, 0.75);
}

TEST(RunSummary, shows_how_many_were_in_flight) {
  // Report A: 12 in flight at 1.77/s is 6.8 s each; four requests of 3 s within 6 s are two at a
  // time.
  const auto sample = complete("a", seconds(1), seconds(3), 5);
  const auto run = summarize(report_of({sample, sample, sample, sample}, seconds(6)));
  EXPECT_DOUBLE_EQ(run.in_flight, 2);
  EXPECT_EQ(run.mean_residence, seconds(3));
}

TEST(RunSummary, tells_the_queues_share_of_the_wait) {
  auto sample = complete("a", seconds(1), seconds(3), 5);
  sample.queue = milliseconds(250);
  const auto without = complete("a", seconds(9), seconds(10), 5);
  const auto run = summarize(report_of({sample, without, sample}, seconds(6)));
  ASSERT_TRUE(run.queue.has_value());
  EXPECT_EQ(run.queue->answers, 2u);
  EXPECT_EQ(run.queue->mean, milliseconds(250));
  EXPECT_DOUBLE_EQ(run.queue->share_of_wait, 0.25);
}

TEST(RunSummary, marks_counted_chunks) {
  auto counted = complete("a", seconds(1), seconds(3), 5);
  EXPECT_FALSE(summarize(report_of({counted}, seconds(3))).chunks_counted);
  counted.token_source = TokenSource::chunks;
  EXPECT_TRUE(summarize(report_of({counted}, seconds(3))).chunks_counted);
}

TEST(RunSummary, calls_a_run_invalid_when_its_client_was_the_limit) {
  const auto sample = complete("a", seconds(1), seconds(3), 5);
  LoadReport report = report_of({sample}, seconds(10));
  report.watch.loop_lags.assign(100, milliseconds(49));
  report.watch.cpu = seconds(7);
  EXPECT_EQ(summarize(report).check.limit, "") << "5 % of a TTFT of 1 s are 50 ms";

  report.watch.loop_lags.assign(100, milliseconds(51));
  EXPECT_NE(summarize(report).check.limit.find("51.0 ms late"), std::string::npos);

  report.watch.loop_lags.assign(100, Duration());
  report.watch.cpu = milliseconds(8100);
  EXPECT_NE(summarize(report).check.limit.find("81.0 % of a processor"), std::string::npos);
}

TEST(RunSummary, is_empty_for_an_empty_run) {
  const auto run = summarize(report_of({}, {}));
  EXPECT_EQ(run.requests, 0u);
  EXPECT_DOUBLE_EQ(run.success(), 0);
  EXPECT_DOUBLE_EQ(run.in_flight, 0);
  EXPECT_TRUE(run.check.limit.empty());
  EXPECT_FALSE(run.queue.has_value());
}

}  // namespace
}  // namespace lmb::bench
