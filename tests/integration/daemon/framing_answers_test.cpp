// Answers whose end is not told by a length: interim ones, those without a body and those that end
// with their connection, from workers and to clients of both versions (RFC 9112 section 6.3).
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

constexpr const char* json_head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const std::string body = R"({"id":"c","choices":[]})";

DaemonOptions with(const CannedWorker& worker) {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [port = worker.port()](config::Config& config) {
    config.addresses[0].port = port;
    config.upstream.probe_interval = std::chrono::hours(1);
    config.scheduling.health.failures_down = 1000;
  };
  return options;
}

std::string ask_with(const std::string& version, bool stream) {
  auto request = post("/v1/chat/completions", chat(stream));
  request.replace(request.find("HTTP/1.1"), 8, version);
  return request;
}

void expect_nothing_left(Daemon& daemon) {
  EXPECT_TRUE(eventually([&] {
    return daemon.in_flight() == 0 && daemon.server().fleet().queued == 0 &&
           daemon.server().fleet().workers[0].settling == 0 &&
           daemon.metric("lmbalancer_body_memory_bytes") == 0 &&
           daemon.metric("lmbalancer_client_connections") == 1;
  }));
}

/// A whole answer to a client of either version, in a framing that it knows: then its connection
/// goes on, or ends if only that tells the end.
void expect_whole(Daemon& daemon, const std::string& version, const std::string& expected,
                  bool stream) {
  SCOPED_TRACE(version);
  RawClient client(daemon.port());
  client.send(ask_with(version, stream));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, expected);
  EXPECT_EQ(answer.fields.count("link") + answer.fields.count("x-t"), 0U);
  if (version == "HTTP/1.0") {
    EXPECT_EQ(answer.fields.count("transfer-encoding"), 0U) << "RFC 9112 section 6.1";
    EXPECT_TRUE(client.at_end());
    return;
  }
  EXPECT_EQ(answer.fields.count("transfer-encoding") + answer.fields.count("content-length"), 1U);
  client.send(get("/healthz"));
  EXPECT_EQ(client.read_answer().body, R"({"status":"ok"})");
}

/// `text` as a whole chunked body.
std::string one_chunk(const std::string& text) {
  std::ostringstream size;
  size << std::hex << text.size();
  return size.str() + "\r\n" + text + "\r\n0\r\n\r\n";
}

struct WholeAnswer {
  std::string name;
  std::string bytes;  ///< Of the worker, which then closes.
  std::string body;
  bool stream = false;
};

std::vector<WholeAnswer> whole_answers() {
  const std::string counted =
      json_head + ("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string events =
      "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";
  const std::string large = R"({"choices":[],"padding":")" + std::string(400'000, 'x') + R"("})";
  const std::string stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
  return {
      {"100 first", "HTTP/1.1 100 Continue\r\n\r\n" + counted, body},
      {"100, 102 and 103 first",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-T: 1\r\n\r\n"
       "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" +
           counted,
       body},
      {"until the end", json_head + ("\r\n" + body), body},
      {"until the end, HTTP/1.0",
       "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body, body},
      {"until the end, large", json_head + ("\r\n" + large), large},
      {"chunked", json_head + ("Transfer-Encoding: chunked\r\n\r\n" + one_chunk(body)), body},
      {"chunked, large", json_head + ("Transfer-Encoding: chunked\r\n\r\n" + one_chunk(large)),
       large},
      {"a stream until the end", stream_head + ("\r\n" + events), events, true},
      {"a stream with a length",
       stream_head + ("Content-Length: " + std::to_string(events.size()) + "\r\n\r\n" + events),
       events, true},
      {"a stream behind 103", "HTTP/1.1 103 Early Hints\r\n\r\n" + stream_head + "\r\n" + events,
       events, true},
  };
}

TEST(FramingAnswers, reach_clients_of_both_versions_whole) {
  for (const auto& each : whole_answers()) {
    SCOPED_TRACE(each.name);
    CannedWorker worker(each.bytes);
    Daemon daemon(with(worker));
    for (const char* version : {"HTTP/1.1", "HTTP/1.0"}) {
      expect_whole(daemon, version, each.body, each.stream);
    }
    EXPECT_EQ(worker.asked(), 2);
    expect_nothing_left(daemon);
  }
}

enum class Asked { unstreamed, both_ways };

/// Clients of both versions are told of the worker's fault.
void expect_bad_response(const std::string& answer_bytes, Asked asked) {
  SCOPED_TRACE(answer_bytes.substr(0, 150));
  CannedWorker worker("HTTP/1.1 " + answer_bytes);
  Daemon daemon(with(worker));
  for (const char* version : {"HTTP/1.1", "HTTP/1.0"}) {
    for (const bool stream : {false, true}) {
      if (stream && asked == Asked::unstreamed) continue;
      RawClient client(daemon.port());
      client.send(ask_with(version, stream));
      const auto answer = client.read_answer();
      ASSERT_EQ(answer.status, 502U) << answer.body;
      EXPECT_TRUE(answer.complete);
      EXPECT_NE(answer.body.find(R"("code":"bad_response")"), std::string::npos) << answer.body;
    }
  }
  const int answers = asked == Asked::unstreamed ? 2 : 4;
  EXPECT_TRUE(eventually(
      [&] { return daemon.metric(R"(lmbalancer_errors_total{kind="bad_response"})") == answers; }));
  EXPECT_EQ(daemon.metric(R"(lmbalancer_connections_total{reuse="reused",worker="w1"})"), 0);
  expect_nothing_left(daemon);
}

TEST(FramingAnswers, without_a_body_are_no_answers_of_a_worker) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::vector<std::string> answers{
      "204 No Content\r\n\r\n",
      "204 No Content\r\nContent-Length: 0\r\n\r\n",
      "204 No Content\r\nContent-Length: 2\r\n\r\n{}",
      "204 No Content\r\n" + chunked + "\r\n2\r\n{}\r\n0\r\n\r\n",
      "204 No Content\r\n\r\n{}",
      "205 Reset Content\r\nContent-Length: 0\r\n\r\n",
      "205 Reset Content\r\n" + chunked + "\r\n0\r\n\r\n",
      "205 Reset Content\r\n\r\n",
      "205 Reset Content\r\nContent-Length: 2\r\n\r\n{}",
      "205 Reset Content\r\n" + chunked + "\r\n2\r\n{}\r\n0\r\n\r\n",
      "205 Reset Content\r\n\r\n{}",
      "304 Not Modified\r\n\r\n",
      "304 Not Modified\r\nContent-Length: 2\r\n\r\n",
      "200 OK\r\nContent-Length: 0\r\n\r\n",
      "200 OK\r\n" + chunked + "\r\n0\r\n\r\n",
      "200 OK\r\n\r\n",
      "100 Continue\r\nContent-Length: 2\r\n\r\n{}",
  };
  for (const auto& each : answers) expect_bad_response(each, Asked::both_ways);
}

/// Only the worker's end tells that this was all: half an answer ends like a whole one.
TEST(FramingAnswers, that_are_cut_where_they_may_end_are_not_taken_for_whole) {
  const std::string type = "200 OK\r\nContent-Type: application/json\r\n";
  const std::string half = R"({"choices":[{"message":{"content":")";
  const std::string large_half = half + std::string(200'000, 'x');  // More than one read brings.
  const std::vector<std::string> answers{
      type + "\r\n" + half,
      type + "\r\n" + large_half,
      type + "Transfer-Encoding: chunked\r\n\r\n" + one_chunk(half),
  };
  for (const auto& each : answers) expect_bad_response(each, Asked::unstreamed);
}

/// RFC 9110 section 9.3.2.
TEST(FramingAnswers, to_head_requests_have_the_fields_and_no_body) {
  CannedWorker worker("");
  Daemon daemon(with(worker));
  for (const char* path : {"/healthz", "/readyz", "/v1/models", "/api/v0/models", "/api/v1/models",
                           "/v1/models/nope", "/nope", "/v1/chat/completions"}) {
    SCOPED_TRACE(path);
    RawClient client(daemon.port());
    client.send(get(path));
    const auto got = client.read_answer();
    client.send("HEAD " + get(path).substr(4) + get("/healthz"));
    const auto head = client.read_answer(true);
    EXPECT_EQ(head.status, got.status);
    EXPECT_EQ(head.fields.at("content-length"), std::to_string(got.body.size()));
    EXPECT_EQ(head.fields.at("content-type"), got.fields.at("content-type"));
    EXPECT_EQ(head.fields.count("transfer-encoding"), 0U);
    EXPECT_EQ(client.read_answer().body, R"({"status":"ok"})") << "bytes of a body before it";
  }
  EXPECT_EQ(worker.asked(), 0);
  expect_nothing_left(daemon);
}

}  // namespace
}  // namespace lmb::test
