// Workers that take requests and deliver nothing, while their probes go well.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;

/// Longer than what any healthy answer of these tests is silent for, on a busy machine too.
constexpr auto floor = 1s;

DaemonOptions with(std::size_t workers) {
  DaemonOptions options;
  options.workers = workers;
  options.adjust_worker = [](sim::WorkerOptions& worker) { worker.answer_tokens = 50'000; };
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = 20ms;
    config.scheduling.health.wedge_floor = floor;
    config.scheduling.health.breaker_open = 100ms;
  };
  return options;
}

RawAnswer ask(const Daemon& daemon) {
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true, 5)));
  return client.read_answer();
}

/// A worker's silence is judged by its own past: so many answers must be known of each.
void let_them_learn(const Daemon& daemon, std::size_t workers) {
  for (std::size_t i = 0; i < 25 * workers; ++i) ASSERT_EQ(ask(daemon).status, 200U);
}

void wedge(Daemon& daemon, std::size_t worker, bool wedged = true) {
  daemon.fleet().with(worker, [wedged](sim::Worker& it) { it.wedge(wedged); });
}

std::string silent_attempts(int worker) {
  return "lmbalancer_attempt_failures_total{kind=\"worker_silent\",worker=\"w" +
         std::to_string(worker) + "\"}";
}

TEST(Wedge, who_waits_for_the_first_token_of_a_wedged_worker_is_answered_by_another) {
  Daemon daemon(with(2));
  let_them_learn(daemon, 2);
  wedge(daemon, 0);
  std::vector<RawAnswer> answers(2);
  std::vector<std::thread> clients;
  for (auto& answer : answers) clients.emplace_back([&] { answer = ask(daemon); });
  for (auto& client : clients) client.join();
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.fields.at("x-lmb-worker"), "w2");
  }
  EXPECT_GE(daemon.metric(silent_attempts(1)), 1);
  EXPECT_EQ(daemon.metric(silent_attempts(2)), 0);
  EXPECT_EQ(daemon.metric("lmbalancer_worker_up{worker=\"w1\"}"), 1) << "its probes go well";
  wedge(daemon, 0, false);
  EXPECT_TRUE(eventually([&] { return ask(daemon).fields["x-lmb-worker"] == "w1"; }));
  EXPECT_TRUE(eventually(
      [&] { return daemon.metric("lmbalancer_worker_breaker_open{worker=\"w1\"}") == 0; }));
}

TEST(Wedge, a_stream_that_had_begun_ends_with_an_error) {
  Daemon daemon(with(1));
  let_them_learn(daemon, 1);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true, 1'000'000)));
  const auto begun = client.read_some(2000);
  ASSERT_NE(begun.find("\"content\""), std::string::npos) << begun;
  wedge(daemon, 0);
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_TRUE(answer.complete) << "the error event is its end, not a cut";
  EXPECT_NE(answer.body.find("\"code\":\"worker_silent\""), std::string::npos);
  EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0U; }));
  EXPECT_TRUE(eventually([&] { return daemon.metric(silent_attempts(1)) == 1; }));
}

TEST(Wedge, the_trial_of_a_worker_that_is_still_wedged_ends_too) {
  Daemon daemon(with(1));
  let_them_learn(daemon, 1);
  wedge(daemon, 0);
  for (int i = 0; i < 2; ++i) {
    const auto answer = ask(daemon);
    EXPECT_EQ(answer.status, 504U) << answer.body;
    EXPECT_NE(answer.body.find("worker_silent"), std::string::npos) << answer.body;
  }
  wedge(daemon, 0, false);
  EXPECT_TRUE(eventually([&] { return ask(daemon).status == 200U; }));
}

TEST(Wedge, a_client_that_does_not_read_is_no_sign_of_a_wedge) {
  auto options = with(1);
  const auto adjust = options.adjust;
  options.adjust = [adjust](config::Config& config) {
    adjust(config);
    config.proxy.limits.stream_buffer = 16 * 1024;
  };
  options.speed = 20'000;
  Daemon daemon(options);
  let_them_learn(daemon, 1);
  RawClient sleeper(daemon.port());
  sleeper.send(post("/v1/chat/completions", chat(true, 1'000'000)));
  ASSERT_TRUE(eventually([&] {
    return daemon.metric("lmbalancer_limit_hits_total{limit=\"limits.stream_buffer\"}") == 1;
  }));
  const auto probes = [&] {
    return daemon.metric("lmbalancer_probes_total{result=\"ok\",worker=\"w1\"}");
  };
  // Each of them judges the worker's silence.
  const auto later = probes() + 3 * (floor / 20ms);
  EXPECT_TRUE(eventually([&] { return probes() >= later; }));
  EXPECT_EQ(daemon.metric(silent_attempts(1)), 0);
  sleeper.reset();
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
}

}  // namespace
}  // namespace lmb::test
