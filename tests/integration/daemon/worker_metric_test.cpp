// Each fault of a worker has its answer and its metric, and the daemon goes on.
#include <gtest/gtest.h>

#include <string>

#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using sim::Fault;

DaemonOptions one_worker() {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [](config::Config& config) {
    // Probes would see some of the faults too; here requests are to find them.
    config.upstream.probe_interval = std::chrono::hours(1);
    config.scheduling.health.failures_down = 1000;
  };
  return options;
}

std::string failures(const std::string& kind) {
  return "lmbalancer_attempt_failures_total{kind=\"" + kind + "\",worker=\"w1\"}";
}

RawAnswer ask(const Daemon& daemon, bool stream) {
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(stream)));
  return client.read_answer();
}

TEST(WorkerMetric, each_fault_is_counted_by_its_kind) {
  struct Case {
    Fault fault;
    unsigned status;
    std::string kind;
  };
  const std::vector<Case> cases{
      {Fault::close_before_head, 502, "worker_closed"},
      {Fault::garbage, 502, "bad_response"},
      {Fault::status_500, 502, "worker_error"},
      {Fault::error_400_crash, 502, "worker_error"},
      {Fault::error_in_stream, 502, "worker_error"},
      {Fault::refuse, 502, "connect_failed"},
  };
  for (const auto& each : cases) {
    Daemon daemon(one_worker());
    daemon.fleet().set_fault(0, each.fault);
    const auto answer = ask(daemon, true);
    EXPECT_EQ(answer.status, each.status) << to_string(each.fault) << answer.body;
    EXPECT_TRUE(answer.complete) << to_string(each.fault);
    EXPECT_NE(answer.body.find("\"code\":\"" + each.kind + "\""), std::string::npos)
        << to_string(each.fault) << answer.body;
    EXPECT_TRUE(eventually([&] { return daemon.metric(failures(each.kind)) == 1; }))
        << to_string(each.fault);
    EXPECT_TRUE(eventually([&] {
      return daemon.metric("lmbalancer_errors_total{kind=\"" + each.kind + "\"}") == 1;
    })) << to_string(each.fault);
    daemon.fleet().set_fault(0, Fault::none);
    EXPECT_EQ(ask(daemon, true).status, 200U) << "after " << to_string(each.fault);
  }
}

TEST(WorkerMetric, a_fault_that_another_worker_covered_is_still_counted) {
  auto options = one_worker();
  options.workers = 2;
  Daemon daemon(options);
  daemon.fleet().set_fault(0, Fault::close_before_head, sim::FaultScope::generation, 1);
  const auto answer = ask(daemon, true);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("x-lmb-attempts"), "2");
  EXPECT_TRUE(eventually([&] { return daemon.metric(failures("worker_closed")) == 1; }));
  EXPECT_EQ(daemon.metric(R"(lmbalancer_retries_total{kind="worker_closed",worker="w1"})"), 1);
  EXPECT_EQ(daemon.metric(R"(lmbalancer_errors_total{kind="worker_closed"})"), 0)
      << "the client saw none of it";
}

TEST(WorkerMetric, what_no_simulated_worker_says_is_a_bad_response) {
  for (const std::string answer :
       {"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.7/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n"}) {
    CannedWorker worker(answer);
    auto options = one_worker();
    options.adjust = [&, adjust = options.adjust](config::Config& config) {
      adjust(config);
      config.addresses[0].port = worker.port();
    };
    Daemon daemon(options);
    const auto seen = ask(daemon, true);
    EXPECT_EQ(seen.status, 502U) << answer << seen.body;
    EXPECT_NE(seen.body.find("\"code\":\"bad_response\""), std::string::npos) << seen.body;
    EXPECT_EQ(seen.body.find("10.0.0.7"), std::string::npos) << "no worker's address for clients";
    EXPECT_TRUE(eventually([&] { return daemon.metric(failures("bad_response")) == 1; })) << answer;
  }
}

TEST(WorkerMetric, every_shard_tells_how_late_it_was) {
  DaemonOptions options;
  options.threads = 2;
  Daemon daemon(options);
  for (const auto* shard : {"0", "1"}) {
    const auto series = std::string("lmbalancer_loop_lag_seconds_count{shard=\"") + shard + "\"}";
    EXPECT_TRUE(eventually([&] { return daemon.metric(series) >= 2; })) << shard;
  }
}

TEST(WorkerMetric, an_exchange_is_counted_once_in_every_view_of_it) {
  Daemon daemon(one_worker());
  ASSERT_EQ(ask(daemon, true).status, 200U);
  ASSERT_EQ(ask(daemon, false).status, 200U);
  const auto labels = std::string("route=\"/v1/chat/completions\"");
  EXPECT_TRUE(eventually([&] {
    return daemon.metric("lmbalancer_requests_total{code=\"200\"," + labels + ",worker=\"w1\"}") ==
           2;
  }));
  EXPECT_EQ(daemon.metric("lmbalancer_inflight_requests{worker=\"w1\"}"), 0);
  EXPECT_EQ(daemon.metric("lmbalancer_worker_up{worker=\"w1\"}"), 1);
  EXPECT_GT(daemon.metric("lmbalancer_worker_slots{worker=\"w1\"}"), 0);
  EXPECT_EQ(daemon.metric("lmbalancer_queue_depth"), 0);
  EXPECT_EQ(daemon.metric("lmbalancer_time_to_first_token_seconds_count{worker=\"w1\"}"), 1)
      << "a whole answer has no first token";
}

}  // namespace
}  // namespace lmb::test
