// A request's way through the daemon to a worker and back.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "support/daemon.hpp"
#include "support/gzip.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

class Relay : public ::testing::TestWithParam<std::size_t> {
 protected:
  DaemonOptions options() const {
    DaemonOptions out;
    out.threads = GetParam();
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Threads, Relay, ::testing::Values(1, 3));

TEST_P(Relay, streams_a_chat_answer_to_its_end) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true)));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.fields.at("transfer-encoding"), "chunked");
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(answer.fields.at("x-lmb-worker").starts_with("w"));
  EXPECT_EQ(answer.fields.at("x-lmb-attempts"), "1");
  EXPECT_NE(answer.fields.at("server-timing").find("prefill;dur="), std::string::npos);
}

TEST_P(Relay, answers_without_streaming_on_one_kept_alive_connection) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  for (int i = 0; i < 5; ++i) {
    client.send(post("/v1/chat/completions", chat(false)));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.status, 200U) << answer.body;
    EXPECT_TRUE(answer.complete);
    EXPECT_NE(answer.body.find("\"chat.completion\""), std::string::npos);
    EXPECT_EQ(answer.fields.count("x-powered-by"), 0U);
  }
}

TEST_P(Relay, spreads_simultaneous_requests_evenly) {
  Daemon daemon(options());
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(daemon.port()));
    clients.back()->send(post("/v1/chat/completions", chat(true, 400)));
  }
  std::multiset<std::string> workers;
  for (auto& client : clients) workers.insert(client->read_answer().fields["x-lmb-worker"]);
  for (const auto* name : {"w1", "w2", "w3"}) EXPECT_EQ(workers.count(name), 2U) << name;
}

TEST_P(Relay, queues_what_exceeds_the_slots_and_serves_it_later) {
  auto setup = options();
  setup.workers = 1;
  setup.adjust = [](config::Config& config) { config.fleet[0].slots = 1; };
  Daemon daemon(setup);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawClient>(daemon.port()));
    clients.back()->send(post("/v1/chat/completions", chat(true)));
  }
  for (auto& client : clients) EXPECT_TRUE(client->read_answer().complete);
  EXPECT_EQ(daemon.fleet().counters(0).running_max, 1U) << "the worker saw more than its slot";
  EXPECT_EQ(daemon.fleet().counters(0).waiting_max, 0U);
}

TEST_P(Relay, answers_pipelined_requests_in_order) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true)) + get("/healthz") +
              post("/v1/chat/completions", chat(false)));
  EXPECT_TRUE(client.read_answer().body.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(client.read_answer().body, R"({"status":"ok"})");
  EXPECT_NE(client.read_answer().body.find("\"chat.completion\""), std::string::npos);
}

TEST_P(Relay, serves_http_1_0_clients_until_close) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  const auto body = chat(true);
  client.send("POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.fields.count("transfer-encoding"), 0U);
  EXPECT_TRUE(answer.body.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(client.at_end());
}

TEST_P(Relay, takes_chunked_and_gzipped_bodies) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  const auto body = chat(false);
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" +
      body.substr(0, 5) + "\r\n");
  client.send("3;ext=1\r\n" + body.substr(5, 3) + "\r\n");
  std::string rest;
  const std::string digits = "0123456789abcdef";
  for (auto size = body.size() - 8; size > 0; size /= 16) rest.insert(0, 1, digits[size % 16]);
  client.send(rest + "\r\n" + body.substr(8) + "\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200U);
  client.send(post("/v1/chat/completions", gzip(body), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST_P(Relay, invites_the_body_after_expect_100_continue) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  const auto body = chat(false);
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100U);
  client.send(body);
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST_P(Relay, inspects_a_body_above_one_mebibyte_off_the_shard) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  auto body = chat(false);
  body.pop_back();
  body += R"(,"user":")" + std::string(2 * 1024 * 1024, 'x') + R"("})";
  client.send(post("/v1/chat/completions", body));
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST_P(Relay, replaces_the_clients_authorization_by_the_workers_key) {
  auto setup = options();
  setup.workers = 1;
  setup.adjust_worker = [](sim::WorkerOptions& worker) { worker.api_token = "sk-worker"; };
  setup.adjust = [](config::Config& config) { config.addresses[0].api_key = "sk-worker"; };
  Daemon daemon(setup);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(false),
                   "Authorization: Bearer sk-client\r\nX-Request-Id: my-id.1\r\n"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.fields.at("x-request-id"), "my-id.1");
  bool found = false;
  for (const auto& seen : daemon.fleet().seen(0)) {
    if (seen.path != "/v1/chat/completions") continue;
    found = true;
    EXPECT_EQ(seen.credential, sim::Credential::own);
    EXPECT_EQ(seen.request_id, "my-id.1");
    EXPECT_EQ(seen.host, "127.0.0.1:" + std::to_string(daemon.fleet().port(0)));
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(daemon.metrics().find("sk-"), std::string::npos);
}

TEST_P(Relay, reuses_worker_connections) {
  auto setup = options();
  setup.workers = 1;
  setup.threads = 1;
  Daemon daemon(setup);
  RawClient client(daemon.port());
  for (int i = 0; i < 4; ++i) {
    client.send(post("/v1/chat/completions", chat(i % 2 == 0)));
    EXPECT_TRUE(client.read_answer().complete);
  }
  EXPECT_EQ(daemon.metric(R"(lmbalancer_connections_total{reuse="fresh",worker="w1"})"), 1);
  EXPECT_EQ(daemon.metric(R"(lmbalancer_connections_total{reuse="reused",worker="w1"})"), 3);
}

TEST_P(Relay, counts_tokens_from_usage) {
  Daemon daemon(options());
  RawClient client(daemon.port());
  auto body = chat(true, 7);
  body.pop_back();
  client.send(post("/v1/chat/completions", body + R"(,"stream_options":{"include_usage":true}})"));
  const auto answer = client.read_answer();
  const auto worker = answer.fields.at("x-lmb-worker");
  EXPECT_EQ(daemon.metric("lmbalancer_generation_tokens_total{source=\"usage\",worker=\"" + worker +
                          "\"}"),
            7);
  EXPECT_EQ(
      daemon.metric("lmbalancer_time_to_first_token_seconds_count{worker=\"" + worker + "\"}"), 1);
}

}  // namespace
}  // namespace lmb::test
