// What the daemon answers itself.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

TEST(LocalRoutes, models_are_the_union_of_the_fleet) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(get("/v1/models"));
  const auto list = nlohmann::json::parse(client.read_answer().body);
  EXPECT_EQ(list.at("object"), "list");
  ASSERT_EQ(list.at("data").size(), 2U);
  EXPECT_EQ(list.at("data")[0].at("id"), model);
  for (const auto* target : {"/v1/models/qwen/qwen3-30b-a3b", "/v1/models/qwen%2Fqwen3-30b-a3b",
                             "/api/v0/models/qwen%2fqwen3-30b-a3b"}) {
    client.send(get(target));
    const auto one = client.read_answer();
    EXPECT_EQ(one.status, 200U) << target;
    EXPECT_EQ(nlohmann::json::parse(one.body).at("id"), model) << target;
  }
  client.send(get("/v1/models/nope"));
  EXPECT_EQ(client.read_answer().status, 404U);
  client.send(get("/api/v0/models"));
  EXPECT_EQ(nlohmann::json::parse(client.read_answer().body).at("data").size(), 2U);
  client.send(get("/api/v1/models"));
  EXPECT_EQ(nlohmann::json::parse(client.read_answer().body).at("models").size(), 2U);
}

TEST(LocalRoutes, head_answers_like_get_without_a_body) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send("HEAD /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto head = client.read_answer(true);
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(head.fields.at("content-length"), "15");
  client.send(get("/healthz"));
  EXPECT_EQ(client.read_answer().body.size(), 15U);
}

TEST(LocalRoutes, every_get_route_answers_head_on_a_kept_connection) {
  Daemon daemon;
  RawClient client(daemon.port());
  for (const auto* target : {"/healthz", "/readyz", "/v1/models", "/api/v0/models",
                             "/api/v1/models", "/v1/models/qwen/qwen3-30b-a3b"}) {
    client.send(get(target));
    const auto whole = client.read_answer();
    client.send(std::string("HEAD ") + target + " HTTP/1.1\r\nHost: t\r\n\r\n");
    const auto head = client.read_answer(true);
    EXPECT_EQ(head.status, 200U) << target;
    EXPECT_EQ(head.body, "") << target;
    EXPECT_EQ(head.fields.at("content-length"), std::to_string(whole.body.size())) << target;
    EXPECT_EQ(head.fields.at("content-type"), whole.fields.at("content-type")) << target;
  }
  client.send("HEAD /metrics HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_GT(std::stoul(client.read_answer(true).fields.at("content-length")), 1000U);
  client.send("HEAD /v1/models/nope HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_answer(true).status, 404U);
  client.send("HEAD /v1/chat/completions HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto refused = client.read_answer(true);
  EXPECT_EQ(refused.status, 405U);
  EXPECT_EQ(refused.fields.at("allow"), "POST");
  client.send(get("/healthz"));
  EXPECT_EQ(client.read_answer().status, 200U) << "no body was left on the connection";
}

TEST(LocalRoutes, metrics_are_in_prometheus_text_format) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(get("/metrics"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(answer.body.find("# TYPE lmbalancer_requests_total counter\n"), std::string::npos);
}

TEST(LocalRoutes, ready_as_soon_as_a_worker_is_up) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(get("/readyz"));
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST(LocalRoutes, embeddings_are_balanced_too) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(post("/v1/embeddings",
                   R"({"model":"text-embedding-nomic-embed-text-v1.5","input":["a","b"]})"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(nlohmann::json::parse(answer.body).at("data").size(), 2U);
}

}  // namespace
}  // namespace lmb::test
