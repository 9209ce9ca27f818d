// Each kind of bad input gets its status, body and metric, and the daemon goes on.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

struct BadRequest {
  std::string name;
  std::string bytes;
  unsigned status;
  std::string kind;  ///< lmbalancer_errors_total{kind}
};

std::string chat_head(const std::string& fields) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n";
}

std::vector<BadRequest> bad_requests() {
  const std::string route = "/v1/chat/completions";
  const auto body = [&](const std::string& text) { return post(route, text); };
  return {
      {"empty body", body(""), 400, "bad_json"},
      {"truncated body", body(R"({"model":"m","messages":[)"), 400, "bad_json"},
      {"no JSON", body("hello"), 400, "bad_json"},
      {"no object", body("[1]"), 400, "bad_json"},
      {"deeply nested", body(R"({"model":"m","a":)" + std::string(100'000, '[')), 400, "bad_json"},
      {"bytes behind", body(R"({"model":"m"} x)"), 400, "bad_json"},
      {"stream no bool", body(R"({"model":"m","stream":"yes"})"), 400, "bad_json"},
      {"model missing", body(R"({"messages":[]})"), 400, "bad_model"},
      {"model no string", body(R"({"model":7})"), 400, "bad_model"},
      {"model empty", body(R"({"model":""})"), 400, "bad_model"},
      {"model twice", body(R"({"model":"a","model":"b"})"), 400, "bad_model"},
      {"model twice, escaped", body(R"({"model":"a","mod\u0065l":"b"})"), 400, "bad_model"},
      {"unknown model", body(R"({"model":"gpt-nope","messages":[]})"), 404, "model_not_found"},
      {"no length", chat_head(""), 411, "length_required"},
      {"64 MiB + 1", chat_head("Content-Length: 67108865\r\n"), 413, "body_too_large"},
      {"bad chunk size", chat_head("Transfer-Encoding: chunked\r\n") + "zz\r\n", 400, "bad_chunk"},
      {"length and chunked",
       chat_head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400,
       "bad_request"},
      {"two lengths", chat_head("Content-Length: 3\r\nContent-Length: 4\r\n") + "abc", 400,
       "bad_request"},
      {"two hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request"},
      {"no host", "GET /healthz HTTP/1.1\r\n\r\n", 400, "bad_request"},
      {"garbage", "\x16\x03\x01 hello\r\n\r\n", 400, "bad_request"},
      {"big head", get("/healthz", "X: " + std::string(20'000, 'a') + "\r\n"), 431,
       "head_too_large"},
      {"long target", get("/" + std::string(9'000, 'a')), 414, "target_too_long"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "unsupported_version"},
      {"brotli", post(route, "x", "Content-Encoding: br\r\n"), 415, "unsupported_content_coding"},
      {"broken gzip", post(route, "x", "Content-Encoding: gzip\r\n"), 400, "bad_content_coding"},
      {"two codings", post(route, "x", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), 415,
       "unsupported_content_coding"},
      {"other coding", chat_head("Transfer-Encoding: gzip, chunked\r\n"), 501,
       "unsupported_transfer_coding"},
      {"unknown path", get("/v1/rerank"), 404, "unknown_route"},
      {"wrong method", get(route), 405, "method_not_allowed"},
      {"management", post("/api/v1/models/load", "{}"), 403, "not_proxied"},
      {"expectation", chat_head("Expect: magic\r\nContent-Length: 2\r\n") + "{}", 417,
       "expectation_failed"},
  };
}

std::string many_headers(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  return get("/healthz", fields);
}

TEST(BadRequest, each_gets_its_status_body_and_metric) {
  Daemon daemon;
  auto cases = bad_requests();
  cases.push_back({"too many headers", many_headers(100), 431, "too_many_headers"});
  for (const auto& each : cases) {
    const auto series = "lmbalancer_errors_total{kind=\"" + each.kind + "\"}";
    const auto before = daemon.metric(series);
    RawClient client(daemon.port());
    client.send(each.bytes);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, each.status) << each.name << ": " << answer.body;
    EXPECT_TRUE(answer.complete) << each.name;
    EXPECT_TRUE(answer.body.starts_with("{\"error\":{\"message\":\"")) << each.name << answer.body;
    // The record is written just after the answer has left.
    EXPECT_TRUE(eventually([&] { return daemon.metric(series) == before + 1; })) << each.name;
  }
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true)));
  EXPECT_EQ(client.read_answer().status, 200U) << "the daemon must go on";
}

TEST(BadRequest, wrong_method_tells_the_allowed_ones) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send("DELETE /v1/models HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 405U);
  EXPECT_EQ(answer.fields.at("allow"), "GET, HEAD");
}

TEST(BadRequest, a_body_error_leaves_the_connection_usable) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", "nope"));
  EXPECT_EQ(client.read_answer().status, 400U);
  client.send(post("/v1/chat/completions", chat(false)));
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST(BadRequest, anthropic_clients_get_their_own_error_form) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(post("/v1/messages", R"({"max_tokens":1})"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 400U);
  EXPECT_TRUE(answer.body.starts_with(R"({"type":"error","error":{)")) << answer.body;
}

TEST(BadRequest, a_slow_head_is_answered_408) {
  DaemonOptions options;
  options.adjust = [](config::Config& config) {
    config.proxy.timeouts.client_head = std::chrono::milliseconds(100);
  };
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send("GET /healthz HTTP/1.1\r\nHo");
  EXPECT_EQ(client.read_answer().status, 408U);
  EXPECT_TRUE(client.at_end());
}

TEST(BadRequest, a_slow_body_is_answered_408) {
  DaemonOptions options;
  options.adjust = [](config::Config& config) {
    config.proxy.timeouts.client_body = std::chrono::milliseconds(100);
  };
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(chat_head("Content-Length: 10\r\n") + "{");
  EXPECT_EQ(client.read_answer().status, 408U);
}

TEST(BadRequest, body_limits_hold_at_the_limit_and_one_above) {
  DaemonOptions options;
  const auto body = chat(false);
  options.adjust = [&](config::Config& config) { config.proxy.limits.body_bytes = body.size(); };
  Daemon daemon(options);
  RawClient fits(daemon.port());
  fits.send(post("/v1/chat/completions", body));
  EXPECT_EQ(fits.read_answer().status, 200U);
  RawClient counted(daemon.port());
  counted.send(post("/v1/chat/completions", body + " "));
  EXPECT_EQ(counted.read_answer().status, 413U);
  RawClient chunked(daemon.port());
  chunked.send(chat_head("Transfer-Encoding: chunked\r\n") + "1\r\n{\r\nfff\r\n" +
               std::string(0xfff, ' ') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read_answer().status, 413U);
}

}  // namespace
}  // namespace lmb::test
