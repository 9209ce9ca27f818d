// Workers that refuse, close early or answer garbage.
#include <gtest/gtest.h>

#include <string>

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
    config.upstream.probe_interval = std::chrono::milliseconds(50);
    config.scheduling.no_worker_grace = std::chrono::milliseconds(200);
  };
  return options;
}

RawAnswer ask(Daemon& daemon, bool stream) {
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(stream)));
  return client.read_answer();
}

TEST(WorkerFault, another_worker_answers_when_one_fails_before_the_commit_point) {
  for (const auto fault : {Fault::close_before_head, Fault::garbage, Fault::error_400_crash,
                           Fault::status_500, Fault::error_in_stream}) {
    DaemonOptions options;
    options.workers = 2;
    Daemon daemon(options);
    daemon.fleet().set_fault(0, fault);
    for (int i = 0; i < 2; ++i) {
      const auto answer = ask(daemon, true);
      EXPECT_EQ(answer.status, 200U) << to_string(fault) << answer.body;
      EXPECT_TRUE(answer.complete);
      EXPECT_EQ(answer.fields.at("x-lmb-worker"), "w2") << to_string(fault);
    }
    EXPECT_GT(daemon.fleet().counters(0).faults, 0U) << to_string(fault);
  }
}

TEST(WorkerFault, a_lone_faulty_worker_gives_502_in_the_clients_form) {
  for (const auto fault : {Fault::close_before_head, Fault::garbage, Fault::error_400_crash,
                           Fault::status_500, Fault::error_in_stream}) {
    auto options = one_worker();
    Daemon daemon(options);
    daemon.fleet().set_fault(0, fault);
    const auto answer = ask(daemon, true);
    EXPECT_EQ(answer.status, 502U) << to_string(fault) << answer.body;
    EXPECT_TRUE(answer.body.starts_with("{\"error\":{")) << answer.body;
  }
}

TEST(WorkerFault, a_cut_counted_answer_is_no_success) {
  Daemon daemon(one_worker());
  daemon.fleet().set_fault(0, Fault::close_mid_stream);
  const auto answer = ask(daemon, false);
  EXPECT_EQ(answer.status, 502U) << answer.body;
}

TEST(WorkerFault, a_stream_that_breaks_after_the_commit_point_ends_with_an_error_event) {
  for (const auto fault : {Fault::close_mid_stream, Fault::reset_mid_stream}) {
    Daemon daemon(one_worker());
    daemon.fleet().set_fault(0, fault);
    const auto answer = ask(daemon, true);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
    EXPECT_NE(answer.body.find("\ndata: {\"error\":{"), std::string::npos) << answer.body;
  }
}

TEST(WorkerFault, a_dead_kept_alive_connection_is_replaced_without_the_client_noticing) {
  Daemon daemon(one_worker());
  ASSERT_EQ(ask(daemon, true).status, 200U);
  daemon.fleet().set_fault(0, Fault::close_before_head, sim::FaultScope::generation, 1);
  const auto answer = ask(daemon, true);
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.fields.at("x-lmb-attempts"), "1")
      << "a dead connection is not the worker's fault";
}

TEST(WorkerFault, a_refusing_worker_goes_down_and_comes_back) {
  Daemon daemon(one_worker());
  testing::internal::CaptureStderr();
  daemon.fleet().set_fault(0, Fault::refuse);
  EXPECT_TRUE(eventually(
      [&] { return daemon.server().fleet().workers[0].state == scheduling::WorkerState::down; }));
  // One more probe: what the one before it did, its log line too, is done then.
  const std::string probes = R"(lmbalancer_probes_total{result="failed",worker="w1"})";
  const auto until_down = daemon.metric(probes);
  EXPECT_TRUE(eventually([&] { return daemon.metric(probes) > until_down; }));
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("-> down, last failure: probe connect_failed"), std::string::npos) << log;
  const auto answer = ask(daemon, true);
  EXPECT_EQ(answer.status, 503U) << answer.body;
  EXPECT_EQ(answer.fields.count("retry-after"), 1U);
  RawClient probe(daemon.port());
  probe.send(get("/readyz"));
  EXPECT_EQ(probe.read_answer().status, 503U);
  EXPECT_EQ(daemon.metric(R"(lmbalancer_worker_up{worker="w1"})"), 0);
  daemon.fleet().set_fault(0, Fault::none);
  EXPECT_TRUE(eventually(
      [&] { return daemon.server().fleet().workers[0].state == scheduling::WorkerState::up; }));
  EXPECT_EQ(ask(daemon, true).status, 200U);
}

TEST(WorkerFault, a_worker_that_fails_requests_is_logged_with_their_failure) {
  auto options = one_worker();
  options.adjust = [](config::Config& config) {
    config.scheduling.health.failures_down = 1;
    config.upstream.probe_interval = std::chrono::hours(1);
  };
  Daemon daemon(options);
  daemon.fleet().set_fault(0, Fault::close_before_head);
  testing::internal::CaptureStderr();
  EXPECT_EQ(ask(daemon, false).status, 502U);
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("worker w1: request failed: worker_closed"), std::string::npos) << log;
  EXPECT_EQ(log.find("suspect"), std::string::npos) << "said once: " << log;
}

TEST(WorkerFault, a_client_that_leaves_stops_the_generation) {
  auto options = one_worker();
  options.speed = 1;
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true, 5000)));
  client.read_some(1);
  client.close();
  EXPECT_TRUE(eventually([&] { return daemon.fleet().counters(0).cancelled == 1; }));
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
  EXPECT_TRUE(eventually([&] {
    return daemon.metric(R"(lmbalancer_client_disconnects_total{phase="generate"})") == 1;
  }));
}

TEST(WorkerFault, a_client_that_leaves_the_queue_gives_its_place_back) {
  auto options = one_worker();
  options.speed = 1;
  options.adjust = [](config::Config& config) { config.fleet[0].slots = 1; };
  Daemon daemon(options);
  RawClient running(daemon.port());
  running.send(post("/v1/chat/completions", chat(true, 5000)));
  running.read_some(1);
  RawClient waiting(daemon.port());
  waiting.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(eventually([&] { return daemon.server().fleet().queued == 1; }));
  waiting.reset();
  EXPECT_TRUE(eventually([&] { return daemon.server().fleet().queued == 0; }));
  running.close();
}

TEST(WorkerFault, the_queue_has_a_length_and_a_deadline) {
  auto options = one_worker();
  options.speed = 1;
  options.adjust = [](config::Config& config) {
    config.fleet[0].slots = 1;
    config.scheduling.queue_length = 1;
    config.proxy.queue.stream = std::chrono::seconds(1);
  };
  Daemon daemon(options);
  RawClient running(daemon.port());
  running.send(post("/v1/chat/completions", chat(true, 5000)));
  running.read_some(1);
  RawClient waiting(daemon.port());
  waiting.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(eventually([&] { return daemon.server().fleet().queued == 1; }));
  const auto refused = ask(daemon, true);
  EXPECT_EQ(refused.status, 503U) << refused.body;
  EXPECT_EQ(refused.fields.count("retry-after"), 1U);
  EXPECT_EQ(waiting.read_answer().status, 504U);
  const auto hits = [&](const std::string& limit) {
    return daemon.metric("lmbalancer_limit_hits_total{limit=\"" + limit + "\"}");
  };
  EXPECT_EQ(hits("queue.length"), 1);
  EXPECT_EQ(hits("queue.max_wait_stream"), 1) << "it waited for a stream";
  EXPECT_EQ(hits("queue.max_wait"), 0);
  running.close();
}

}  // namespace
}  // namespace lmb::test
