#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "exposition.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

constexpr int thread_count = 4;
constexpr int records_per_thread = 4000;

RequestRecord varied(int number) {
  RequestRecord record = sample_record();
  record.worker = WorkerId(static_cast<std::uint32_t>(number % 2));
  // Codes not seen before make the threads create series at the same time.
  record.status = static_cast<unsigned>(400 + number % 10);
  if (number % 4 == 0) record.error = ErrorKind::client_gone;
  return record;
}

TEST(MetricsThreads, totals_are_exact_while_a_scrape_runs_beside) {
  Metrics metrics({"mac-a", "mac-b"}, {"/v1/chat/completions"}, {"1", "x"});
  std::atomic<int> running{thread_count};
  std::vector<std::thread> threads;
  for (int shard = 0; shard < thread_count; ++shard) {
    threads.emplace_back([&metrics, &running, shard] {
      for (int i = 0; i < records_per_thread; ++i) {
        metrics.record(varied(i));
        metrics.count_connection(WorkerId(0), i % 2 == 0);
        metrics.count_retry(WorkerId(1), static_cast<ErrorKind>(i % 40));
        metrics.observe_loop_lag(static_cast<std::size_t>(shard % 2), Duration(1));
        metrics.client_connection_opened();
        metrics.client_connection_closed();
      }
      --running;
    });
  }
  double last = 0;
  while (running > 0) {
    const double seen = Exposition(metrics.render()).sum("lmbalancer_requests_total");
    EXPECT_GE(seen, last) << "a counter went back";
    last = seen;
  }
  for (std::thread& thread : threads) thread.join();

  constexpr double total = thread_count * records_per_thread;
  const Exposition scraped(metrics.render());
  EXPECT_EQ(scraped.sum("lmbalancer_requests_total"), total);
  EXPECT_EQ(scraped.count("lmbalancer_requests_total"), 10U);
  EXPECT_EQ(
      scraped.at(
          R"(lmbalancer_requests_total{code="403",route="/v1/chat/completions",worker="mac-b"})"),
      total / 10);
  EXPECT_EQ(scraped.sum("lmbalancer_request_duration_seconds_count"), total);
  EXPECT_EQ(scraped.sum("lmbalancer_request_duration_seconds_sum"), total * 8);
  EXPECT_EQ(scraped.sum("lmbalancer_phase_duration_seconds_sum"), total * 8);
  EXPECT_EQ(scraped.sum("lmbalancer_generation_tokens_total"), total * 13);
  EXPECT_EQ(scraped.sum("lmbalancer_bytes_total"), total * 12900);
  EXPECT_EQ(scraped.at(R"(lmbalancer_client_disconnects_total{phase="generate"})"), total / 4);
  EXPECT_EQ(scraped.at(R"(lmbalancer_connections_total{reuse="reused",worker="mac-a"})"),
            total / 2);
  EXPECT_EQ(scraped.sum("lmbalancer_retries_total"), total);
  EXPECT_EQ(scraped.sum("lmbalancer_loop_lag_seconds_count"), total);
  EXPECT_EQ(scraped.at("lmbalancer_client_connections"), 0);
}

}  // namespace
}  // namespace lmb::telemetry
