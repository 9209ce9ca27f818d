// Client connections: limits, keep-alive, slow readers.
#include <gtest/gtest.h>

#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

TEST(Connection, an_idle_one_is_closed_without_a_word) {
  DaemonOptions options;
  options.adjust = [](config::Config& config) {
    config.proxy.timeouts.keep_alive = std::chrono::milliseconds(100);
  };
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(get("/healthz"));
  EXPECT_EQ(client.read_answer().status, 200U);
  EXPECT_TRUE(client.at_end());
}

TEST(Connection, close_is_honoured) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(get("/healthz", "Connection: close\r\n"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(Connection, too_many_are_refused_with_503) {
  DaemonOptions options;
  options.threads = 1;
  options.adjust = [](config::Config& config) { config.net.connections_max = 1; };
  Daemon daemon(options);
  RawClient first(daemon.port());
  first.send(get("/healthz"));
  ASSERT_EQ(first.read_answer().status, 200U);
  RawClient second(daemon.port());
  const auto refused = second.read_answer();
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.complete);
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  first.send(get("/healthz"));
  EXPECT_EQ(first.read_answer().status, 200U);
}

TEST(Connection, a_slow_reader_frees_the_slot_when_the_worker_is_done) {
  DaemonOptions options;
  options.workers = 1;
  options.speed = 5000;
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true, 2000)));
  // Nothing is read yet: kernel buffers and limits.stream_buffer hold the answer.
  EXPECT_TRUE(eventually([&] { return daemon.fleet().counters(0).finished == 1; }));
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
  EXPECT_TRUE(client.read_answer().body.ends_with("data: [DONE]\n\n"));
}

TEST(Connection, serves_ipv6) {
  DaemonOptions options;
  options.adjust = [](config::Config& config) {
    config.net.listen = {{"127.0.0.1", 0}, {"::1", 0}};
  };
  Daemon daemon(options);
  const auto endpoints = daemon.server().endpoints();
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_TRUE(endpoints[1].address().is_v6());
}

}  // namespace
}  // namespace lmb::test
