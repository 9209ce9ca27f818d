// Workers that break HTTP or their promises in every way we know of, with real sockets: a known
// status, error, metric and termination code each time, and nothing left behind.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/access_lines.hpp"
#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* json_head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
constexpr const char* stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
const std::string body = R"({"id":"c","choices":[]})";
const std::string event = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";

const std::string no_delta =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

std::string counted(const std::string& head, const std::string& text) {
  return head + "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

struct Case {
  std::string name;
  std::string answer;  ///< Of the worker, which then closes.
  unsigned status = 502;
  std::string error = "bad_response";
  std::string termination = "WH";
};

/// What comes before the commit point: a clean error.
std::vector<Case> broken_before_the_commit_point() {
  const std::string seven = "Content-Length: 7\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"accept-then-close", "", 502, "worker_closed"},
      {"close in the head", "HTTP/1.1 200 OK\r\nContent-Ty", 502, "worker_closed"},
      {"garbage", std::string("\x16\x03\x01\x00\xff\x00 not HTTP \r\n\r\n", 20)},
      {"no status line", "Content-Type: application/json\r\n\r\n" + body},
      {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
      {"status 99", "HTTP/1.1 099 Odd\r\n\r\n"},
      {"another version", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"},
      {"HTTP/0.9", body},
      {"no content for a chat", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"endless head", std::string(json_head) + "X-Long: " + std::string(200'000, 'x')},
      {"endless fields",
       [] {
         std::string head = json_head;
         for (int i = 0; i < 10'000; ++i) head += "X-Field: 1\r\n";
         return head;
       }()},
      {"two lengths that differ", json_head + seven + "Content-Length: 8\r\n\r\n1234567"},
      {"two lengths that agree", json_head + seven + seven + "\r\n1234567"},
      {"a length in a list", std::string(json_head) + "Content-Length: 7, 7\r\n\r\n1234567"},
      {"a negative length", std::string(json_head) + "Content-Length: -7\r\n\r\n1234567"},
      {"an overflowing length",
       std::string(json_head) + "Content-Length: 18446744073709551617\r\n\r\n1"},
      {"a length that signed counters cannot hold",
       std::string(json_head) + "Content-Length: 9223372036854775808\r\n\r\n1"},
      {"a length and chunks", json_head + seven + chunked + "\r\n0\r\n\r\n"},
      {"a coding that is not chunked",
       std::string(json_head) + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\n" + chunked + "\r\n0\r\n\r\n"},
      {"a folded field", std::string(json_head) + "X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}"},
      {"white space before the colon", std::string(json_head) + "X-A : 1\r\n\r\n"},
      {"a NUL in the head", json_head + std::string("X-A: 1\0\r\n\r\n", 11)},
      {"a bad chunk size", json_head + chunked + "\r\nzz\r\n{}\r\n0\r\n\r\n"},
      {"a chunk without its end", json_head + chunked + "\r\n2\r\n{}xx0\r\n\r\n"},
      {"cut in a counted body", json_head + seven + "\r\n123", 502, "worker_closed", "WD"},
      {"cut in a chunk's size", json_head + chunked + "\r\n9", 502, "worker_closed"},
      {"an unexpected 101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"},
      {"a redirect, which nobody follows",
       counted("HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n", "{}")},
      {"endless interim answers",
       [] {
         std::string heads;
         for (int i = 0; i < 100; ++i) heads += "HTTP/1.1 103 Early Hints\r\n\r\n";
         return heads;
       }()},
      {"half a JSON body", counted(json_head, R"({"id":"c","choi)"), 502, "bad_response", "WD"},
      {"a page of another server",
       counted("HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\n", "<html>busy</html>"), 502,
       "worker_error"},
      {"a stream without an event", counted(stream_head, "")},
      {"a stream that is cut before its first event", counted(stream_head, "data: {\"choi")},
      {"a stream cut within its chunk", stream_head + chunked + "\r\n40\r\ndata: {", 502,
       "worker_closed"},
  };
}

DaemonOptions with(const CannedWorker& worker, const std::string& access_log = {}) {
  DaemonOptions options;
  options.workers = 1;
  options.adjust = [port = worker.port(), access_log](config::Config& config) {
    config.addresses[0].port = port;
    config.upstream.probe_interval = 1h;
    config.telemetry.access_log = access_log;
  };
  return options;
}

RawAnswer ask(const Daemon& daemon, bool stream = false) {
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(stream)));
  return client.read_answer();
}

void expect_nothing_left(Daemon& daemon) {
  EXPECT_TRUE(eventually([&] {
    return daemon.in_flight() == 0 && daemon.server().fleet().queued == 0 &&
           daemon.server().fleet().workers[0].settling == 0 &&
           daemon.metric("lmbalancer_body_memory_bytes") == 0;
  }));
}

TEST(MisbehavingWorker, before_the_commit_point_is_a_clean_error) {
  for (const auto& each : broken_before_the_commit_point()) {
    SCOPED_TRACE(each.name);
    CannedWorker worker(each.answer);
    AccessLines lines;
    Daemon daemon(with(worker, lines.path()));
    const bool stream = each.name.find("stream") != std::string::npos;
    const auto answer = ask(daemon, stream);
    EXPECT_EQ(answer.status, each.status) << answer.body;
    EXPECT_TRUE(answer.complete);
    EXPECT_NE(answer.body.find("\"code\":\"" + each.error + "\""), std::string::npos)
        << answer.body;
    const auto line = lines.of(answer.fields.at("x-request-id"));
    EXPECT_EQ(line.at("termination"), each.termination) << line;
    EXPECT_EQ(line.at("error"), each.error) << line;
    EXPECT_TRUE(eventually([&] {
      return daemon.metric("lmbalancer_attempt_failures_total{kind=\"" + each.error +
                           "\",worker=\"w1\"}") >= 1;
    }));
    EXPECT_EQ(answer.fields.count("x-long") + answer.fields.count("upgrade") +
                  answer.fields.count("location"),
              0U);
    expect_nothing_left(daemon);
    // Its connection is never used again: the next one is fresh.
    (void)ask(daemon, stream);
    EXPECT_EQ(daemon.metric(R"(lmbalancer_connections_total{reuse="reused",worker="w1"})"), 0);
  }
}

TEST(MisbehavingWorker, answers_of_odd_but_good_form_pass) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::vector<Case> odd{
      {"an interim answer first", "HTTP/1.1 103 Early Hints\r\n\r\n" + counted(json_head, body),
       200, body},
      {"the end of the connection as the body's", json_head + ("\r\n" + body), 200, body},
      {"HTTP/1.0", counted("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n", body), 200,
       body},
      {"chunks with extensions and trailers",
       json_head + chunked + "\r\n17;a=b\r\n" + body + "\r\n0\r\nX-T: 1\r\n\r\n", 200, body},
      {"a stream that finishes without any delta", counted(stream_head, no_delta), 200, no_delta},
      {"a coding in capitals",
       json_head + ("Transfer-Encoding: Chunked\r\n\r\n17\r\n" + body) + "\r\n0\r\n\r\n", 200,
       body},
  };
  for (const auto& each : odd) {
    SCOPED_TRACE(each.name);
    CannedWorker worker(each.answer);
    Daemon daemon(with(worker));
    const auto answer = ask(daemon, each.name.find("stream") != std::string::npos);
    EXPECT_EQ(answer.status, each.status) << answer.body;
    EXPECT_EQ(answer.body, each.error);
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.fields.count("location") + answer.fields.count("x-t"), 0U);
    expect_nothing_left(daemon);
  }
}

double hits(const Daemon& daemon, const std::string& limit) {
  return daemon.metric("lmbalancer_limit_hits_total{limit=\"" + limit + "\"}");
}

TEST(MisbehavingWorker, a_head_may_be_as_long_as_its_limit_and_no_longer) {
  constexpr std::size_t most = 8 * 1024;
  for (const bool fits : {true, false}) {
    std::string head =
        std::string(json_head) + "Content-Length: " + std::to_string(body.size()) + "\r\nX-Long: ";
    head += std::string(most - head.size() - 4 + (fits ? 0 : 1), 'x') + "\r\n\r\n";
    CannedWorker worker(head + body);
    auto options = with(worker);
    options.adjust = [adjust = options.adjust](config::Config& config) {
      adjust(config);
      config.upstream.answer_head_bytes = most;
    };
    Daemon daemon(options);
    EXPECT_EQ(ask(daemon).status, fits ? 200U : 502U);
    EXPECT_EQ(hits(daemon, "limits.answer_head_bytes"), fits ? 0 : 1);
  }
}

TEST(MisbehavingWorker, an_event_is_judged_up_to_its_limit) {
  constexpr std::size_t most = 8 * 1024;
  for (const bool fits : {true, false}) {
    std::string error = R"(data: {"error":{"message":"The model has crashed")";
    error += std::string(most - error.size() - 3 + (fits ? 0 : 1), ' ') + "}}\n";
    const std::string text = event + error + "\ndata: [DONE]\n\n";
    CannedWorker worker(counted(stream_head, text));
    auto options = with(worker);
    options.adjust = [adjust = options.adjust](config::Config& config) {
      adjust(config);
      config.proxy.limits.event_bytes = most;
    };
    Daemon daemon(options);
    const auto answer = ask(daemon, true);
    EXPECT_NE(answer.body.find("crashed"), std::string::npos) << "it passes on in any case";
    EXPECT_TRUE(eventually([&] {
      return hits(daemon, "limits.event_bytes") == (fits ? 0 : 1) &&
             daemon.metric(R"(lmbalancer_errors_total{kind="worker_error"})") == (fits ? 1 : 0);
    }));
    expect_nothing_left(daemon);
  }
}

TEST(MisbehavingWorker, attempts_that_are_spent_are_a_hit_of_their_limit) {
  CannedWorker worker("");
  Daemon daemon(with(worker));
  (void)ask(daemon);
  EXPECT_EQ(hits(daemon, "retry.attempts"), 0) << "there was nobody else";
  for (int attempts : {1, 2}) {
    CannedWorker other("");
    auto options = with(worker);
    options.workers = 2;
    options.adjust = [adjust = options.adjust, attempts, port = other.port()](auto& config) {
      adjust(config);
      config.addresses[1].port = port;
      config.retry.attempts_max = static_cast<std::uint32_t>(attempts);
    };
    Daemon both(options);
    EXPECT_EQ(ask(both).status, 502U);
    EXPECT_EQ(hits(both, "retry.attempts"), 1) << attempts;
  }
}

TEST(MisbehavingWorker, that_is_the_only_one_costs_no_retries) {
  CannedWorker worker("");
  auto options = with(worker);
  options.adjust = [adjust = options.adjust](config::Config& config) {
    adjust(config);
    config.retry.budget_percent = 0;
    config.retry.budget_min_per_second = 0;
  };
  Daemon daemon(options);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(daemon).status, 502U);
  EXPECT_EQ(hits(daemon, "retry.budget_percent"), 0);
  EXPECT_EQ(daemon.metric("lmbalancer_retries_refused_total"), 0);
}

TEST(MisbehavingWorker, is_told_of_and_not_the_other_one_whose_load_failed_before) {
  CannedWorker worker("");
  CannedWorker other(counted("HTTP/1.1 400 Bad Request\r\n",
                             R"({"error":{"message":"Failed to load model \"m\"."}})"),
                     "127.0.0.1", CannedWorker::list_of_instances({}));
  AccessLines lines;
  auto options = with(worker, lines.path());
  options.workers = 2;
  options.adjust = [adjust = options.adjust, port = other.port()](config::Config& config) {
    adjust(config);
    config.addresses[1].port = port;
    config.scheduling.health.breaker_faults = 100;
  };
  Daemon daemon(options);
  EXPECT_EQ(ask(daemon).status, 503U);
  EXPECT_EQ(other.asked(), 1);
  const auto answer = ask(daemon);
  EXPECT_EQ(other.asked(), 1) << "a load that failed is not tried again at once";
  EXPECT_EQ(answer.status, 502U) << answer.body;
  const auto line = lines.of(answer.fields.at("x-request-id"));
  EXPECT_EQ(line.at("error"), "worker_closed") << line;
  EXPECT_EQ(line.at("termination"), "WH") << line;
  EXPECT_EQ(line.at("worker"), "w1") << line;
  EXPECT_EQ(hits(daemon, "retry.budget_percent"), 0);
}

TEST(MisbehavingWorker, retries_beyond_the_fleets_budget_are_a_hit_of_its_limit) {
  CannedWorker worker("");
  CannedWorker other("");
  auto options = with(worker);
  options.workers = 2;
  options.adjust = [adjust = options.adjust, port = other.port()](auto& config) {
    adjust(config);
    config.addresses[1].port = port;
    config.retry.attempts_max = 2;
    config.retry.budget_percent = 0;
    config.retry.budget_min_per_second = 0;
  };
  Daemon daemon(options);
  constexpr int at_first = 10;  // What a budget that nothing is paid into has.
  for (int i = 0; i < at_first; ++i) EXPECT_EQ(ask(daemon).status, 502U);
  EXPECT_EQ(hits(daemon, "retry.budget_percent"), 0);
  EXPECT_EQ(hits(daemon, "retry.attempts"), at_first);
  EXPECT_EQ(ask(daemon).status, 502U);
  EXPECT_EQ(hits(daemon, "retry.budget_percent"), 1);
  EXPECT_EQ(hits(daemon, "retry.attempts"), at_first);
}

TEST(MisbehavingWorker, one_that_is_too_busy_tells_clients_how_long_to_wait) {
  for (const char* status : {"429 Too Many Requests", "503 Service Unavailable"}) {
    CannedWorker worker(counted(std::string("HTTP/1.1 ") + status + "\r\nRetry-After: 77\r\n",
                                R"({"error":"busy"})"));
    Daemon daemon(with(worker));
    const auto answer = ask(daemon);
    EXPECT_EQ(answer.status, 502U) << answer.body;
    EXPECT_EQ(answer.fields.at("retry-after"), "77");
    expect_nothing_left(daemon);
  }
  CannedWorker silent(counted("HTTP/1.1 503 Service Unavailable\r\n", R"({"error":"busy"})"));
  Daemon daemon(with(silent));
  EXPECT_EQ(ask(daemon).fields.count("retry-after"), 0U);
}

TEST(MisbehavingWorker, after_the_commit_point_no_cut_answer_looks_whole) {
  std::string many;  // More than one read brings, so that the answer is out when its end comes.
  for (int i = 0; i < 4000; ++i) many += event;
  struct Cut {
    std::string name;
    std::string answer;
  };
  const std::string more = std::to_string(many.size() + 100);
  const std::vector<Cut> cuts{
      {"counted", stream_head + ("Content-Length: " + more + "\r\n\r\n" + many)},
      {"mid-event", stream_head + ("Content-Length: " + more + "\r\n\r\n" + many + "data: {\"ch")},
      {"without [DONE]",
       stream_head + ("Content-Length: " + std::to_string(many.size()) + "\r\n\r\n" + many)},
  };
  for (const auto& each : cuts) {
    SCOPED_TRACE(each.name);
    CannedWorker worker(each.answer);
    AccessLines lines;
    Daemon daemon(with(worker, lines.path()));
    const auto answer = ask(daemon, true);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(lines.of(answer.fields.at("x-request-id")).at("termination"), "WD");
    EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
    const bool told = answer.body.find("worker_closed") != std::string::npos;
    EXPECT_TRUE(told || !answer.complete);
    EXPECT_TRUE(eventually(
        [&] { return daemon.metric(R"(lmbalancer_errors_total{kind="worker_closed"})") == 1; }));
    expect_nothing_left(daemon);
  }
}

}  // namespace
}  // namespace lmb::test
