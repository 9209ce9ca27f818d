// The graceful end.
#include <gtest/gtest.h>

#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

DaemonOptions one_slot() {
  DaemonOptions options;
  options.workers = 1;
  options.speed = 20;
  options.adjust = [](config::Config& config) { config.fleet[0].slots = 1; };
  return options;
}

TEST(Shutdown, running_streams_finish_and_waiting_requests_are_refused) {
  auto options = one_slot();
  options.speed = 2;  // The first must still run when the second comes, on a busy machine too.
  Daemon daemon(options);
  RawClient running(daemon.port());
  running.send(post("/v1/chat/completions", chat(true, 300)));
  running.read_some(1);
  RawClient waiting(daemon.port());
  waiting.send(post("/v1/chat/completions", chat(true)));
  ASSERT_TRUE(eventually([&] { return daemon.server().fleet().queued == 1; }));
  daemon.server().begin_drain();
  const auto refused = waiting.read_answer();
  EXPECT_EQ(refused.status, 503U) << refused.body;
  EXPECT_EQ(refused.fields.at("connection"), "close");
  const auto finished = running.read_answer();
  EXPECT_TRUE(finished.body.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(eventually([&] { return daemon.server().active() == 0; }));
}

TEST(Shutdown, idle_connections_are_closed) {
  Daemon daemon(one_slot());
  RawClient client(daemon.port());
  client.send(get("/healthz"));
  ASSERT_EQ(client.read_answer().status, 200U);
  daemon.server().begin_drain();
  EXPECT_TRUE(client.at_end());
}

TEST(Shutdown, readiness_asked_for_on_an_open_connection_is_503_and_new_ones_are_refused) {
  Daemon daemon(one_slot());
  RawClient running(daemon.port());
  running.send(post("/v1/chat/completions", chat(true, 300)));
  running.read_some(1);
  // The second head has begun when the drain does: its bytes came with the first request.
  RawClient probe(daemon.port());
  probe.send(get("/readyz") + "GET /readyz HTTP/1.1\r\nHost: t\r\n");
  EXPECT_EQ(probe.read_answer().status, 200U);
  const auto port = daemon.port();
  daemon.server().begin_drain();
  probe.send("\r\n");
  const auto answer = probe.read_answer();
  EXPECT_EQ(answer.status, 503U);
  EXPECT_NE(answer.body.find("shutting down"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_ANY_THROW(RawClient late(port));
  EXPECT_TRUE(running.read_answer().complete);
}

TEST(Shutdown, after_the_grace_time_streams_end_with_an_error_event) {
  auto options = one_slot();
  options.speed = 1;
  Daemon daemon(options);
  RawClient running(daemon.port());
  running.send(post("/v1/chat/completions", chat(true, 5000)));
  running.read_some(400);
  daemon.server().begin_drain();
  daemon.server().end_now();
  const auto answer = running.read_answer();
  EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
  EXPECT_NE(answer.body.find("\"code\":\"shutting_down\""), std::string::npos) << answer.body;
  EXPECT_TRUE(running.at_end());
}

TEST(Shutdown, readyz_says_503_to_who_is_still_connected) {
  auto options = one_slot();
  options.threads = 1;
  Daemon daemon(options);
  const auto request = get("/readyz");
  RawClient client(daemon.port());
  client.send(request.substr(0, 8));
  // The first bytes must have been read: another connection's answer comes after that.
  RawClient other(daemon.port());
  other.send(request);
  ASSERT_EQ(other.read_answer().status, 200U);
  daemon.server().begin_drain();
  client.send(request.substr(8));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(Shutdown, requests_that_come_during_the_drain_are_refused) {
  auto options = one_slot();
  options.threads = 1;
  Daemon daemon(options);
  const auto request = post("/v1/chat/completions", chat(true));
  RawClient client(daemon.port());
  client.send(request.substr(0, 8));
  RawClient other(daemon.port());
  other.send(get("/healthz"));
  ASSERT_EQ(other.read_answer().status, 200U);
  daemon.server().begin_drain();
  client.send(request.substr(8));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 503U) << answer.body;
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_EQ(answer.fields.count("retry-after"), 1U);
}

}  // namespace
}  // namespace lmb::test
