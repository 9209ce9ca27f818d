// Answers that no simulated worker gives.
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>

#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

constexpr const char* stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

DaemonOptions only(const CannedWorker& worker) {
  DaemonOptions options;
  options.workers = 1;
  options.adjust = [port = worker.port()](config::Config& config) {
    config.addresses[0].port = port;
    config.scheduling.health.failures_down = 1;
    config.upstream.probe_interval = std::chrono::hours(1);
  };
  return options;
}

RawAnswer ask(Daemon& daemon) {
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true)));
  return client.read_answer();
}

TEST(CannedAnswer, a_prompt_too_long_told_in_a_stream_is_the_clients_fault) {
  CannedWorker worker(
      std::string(stream_head) +
      "data: {\"error\":{\"message\":\"The number of tokens to keep from the initial "
      "prompt is greater than the context length\"}}\n\n");
  Daemon daemon(only(worker));
  const auto answer = ask(daemon);
  EXPECT_EQ(answer.status, 400U) << answer.body;
  EXPECT_NE(answer.body.find("number of tokens to keep"), std::string::npos);
  EXPECT_EQ(worker.asked(), 1);
  EXPECT_TRUE(daemon.server().fleet().workers[0].state == scheduling::WorkerState::up)
      << "no health fault";
}

TEST(CannedAnswer, a_model_that_cannot_be_loaded_is_503_and_no_health_fault) {
  CannedWorker worker(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n"
      "{\"error\":\"No models loaded. Please load\"}");
  Daemon daemon(only(worker));
  const auto answer = ask(daemon);
  EXPECT_EQ(answer.status, 503U) << answer.body;
  EXPECT_TRUE(daemon.server().fleet().workers[0].state == scheduling::WorkerState::up);
}

TEST(CannedAnswer, a_worker_that_refuses_our_key_is_told_as_a_fault_of_our_configuration) {
  for (const bool stream : {true, false}) {
    const std::string body = R"({"error":{"message":"An LM Studio API token is required"}})";
    CannedWorker worker(
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    auto options = only(worker);
    options.adjust = [adjust = options.adjust](config::Config& config) {
      adjust(config);
      config.addresses[0].api_key = "sk-secret";
      config.scheduling.health.failures_down = 3;
    };
    Daemon daemon(options);
    RawClient client(daemon.port());
    testing::internal::CaptureStderr();
    for (int i = 0; i < 2; ++i) {
      client.send(post("/v1/chat/completions", chat(stream)));
      const auto answer = client.read_answer();
      EXPECT_EQ(answer.status, 502U);
      EXPECT_EQ(answer.fields.count("retry-after"), 0U) << "no client can mend it by waiting";
      for (const char* part : {R"("code":"worker_refused_key")", "workers[].api_key", "w1"}) {
        EXPECT_NE(answer.body.find(part), std::string::npos) << answer.body;
      }
      EXPECT_EQ(answer.body.find("LM Studio API token"), std::string::npos);
      EXPECT_EQ(answer.body.find("sk-secret"), std::string::npos);
    }
    const auto log = testing::internal::GetCapturedStderr();
    const auto line = log.find("worker w1: request failed: worker_refused_key");
    EXPECT_NE(line, std::string::npos) << log;
    EXPECT_EQ(log.find("request failed", line + 30), std::string::npos) << "once in 10 s\n" << log;
    EXPECT_EQ(log.find("sk-secret"), std::string::npos);
  }
}

TEST(CannedAnswer, an_error_after_the_first_token_is_counted_and_passed_on) {
  CannedWorker worker(std::string(stream_head) +
                      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"
                      "data: {\"error\":{\"message\":\"Compute error.\"}}\n\n");
  Daemon daemon(only(worker));
  const auto answer = ask(daemon);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_NE(answer.body.find("Compute error"), std::string::npos);
  EXPECT_TRUE(eventually(
      [&] { return daemon.metric(R"(lmbalancer_errors_total{kind="worker_error"})") == 1; }));
}

TEST(CannedAnswer, a_request_that_makes_every_worker_fail_leaves_the_fleet_up) {
  for (const char* told : {"Compute error.", "Error rendering prompt with jinja template: x"}) {
    CannedWorker worker(std::string(stream_head) + "data: {\"error\":{\"message\":\"" + told +
                        "\"}}\n\n");
    Daemon daemon(only(worker));
    for (int i = 0; i < 5; ++i) EXPECT_GE(ask(daemon).status, 400U);
    EXPECT_EQ(worker.asked(), 5);
    const auto fleet = daemon.server().fleet();
    EXPECT_FALSE(fleet.workers[0].state == scheduling::WorkerState::down) << told;
    EXPECT_FALSE(fleet.workers[0].breaker_until.has_value())
        << "one prompt is one evidence: " << told;
  }
}

TEST(CannedAnswer, a_refusal_told_in_a_stream_by_its_type_is_the_clients_fault) {
  CannedWorker worker(
      std::string(stream_head) +
      "data: {\"error\":{\"type\":\"invalid_request_error\",\"message\":\"no\"}}\n\n");
  Daemon daemon(only(worker));
  EXPECT_EQ(ask(daemon).status, 400U);
}

std::string json_answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(CannedAnswer, an_error_in_an_unstreamed_200_is_the_error_that_it_is) {
  struct Case {
    const char* body;
    unsigned status;
    const char* part;
  };
  for (const auto& each : {Case{R"({"error":"Model is unloaded."})", 503, "model_unavailable"},
                           Case{R"({"error":{"message":"odd"}})", 502, "worker_error"},
                           Case{R"({"error":{"type":"invalid_request_error","message":"odd"}})",
                                400, "The worker refused the request: odd"}}) {
    CannedWorker worker(json_answer(each.body));
    Daemon daemon(only(worker));
    RawClient client(daemon.port());
    client.send(post("/v1/chat/completions", chat(false)));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, each.status) << each.body;
    EXPECT_NE(answer.body.find(each.part), std::string::npos) << answer.body;
  }
}

TEST(CannedAnswer, an_unstreamed_200_that_holds_a_workers_error_is_asked_elsewhere) {
  CannedWorker broken(json_answer(R"({"error":"Model is unloaded."})"));
  CannedWorker whole(json_answer(R"({"choices":[]})"));
  auto options = only(broken);
  options.workers = 2;
  options.adjust = [&](config::Config& config) {
    config.addresses[0].port = broken.port();
    config.addresses[1].port = whole.port();
    config.fleet[0].weight = 100;
  };
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(false)));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body, R"({"choices":[]})");
  EXPECT_EQ(broken.asked(), 1);
}

TEST(CannedAnswer, a_close_delimited_stream_without_its_end_is_cut) {
  CannedWorker worker(std::string(stream_head) +
                      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
  Daemon daemon(only(worker));
  const auto answer = ask(daemon);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_NE(answer.body.find("\"error\""), std::string::npos) << answer.body;
}

TEST(CannedAnswer, an_unstreamed_200_that_is_no_json_object_is_asked_elsewhere) {
  for (const std::string body : {R"({"id":"c","choices":[{"message":{"content":"half an)", "",
                                 "null", "<html>busy</html>", R"({"id":"c"}{"id":"d"})", "[[[["}) {
    CannedWorker broken("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
    Daemon alone(only(broken));
    RawClient client(alone.port());
    client.send(post("/v1/chat/completions", chat(false)));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 502U) << body;
    EXPECT_NE(answer.body.find("bad_response"), std::string::npos) << answer.body;
    EXPECT_EQ(alone.metric(R"(lmbalancer_attempt_failures_total{kind="bad_response",worker="w1"})"),
              1)
        << body;
  }
}

constexpr const char* chunked_stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& text) {
  std::ostringstream size;
  size << std::hex << text.size();
  return size.str() + "\r\n" + text + "\r\n";
}

TEST(CannedAnswer, a_stream_whose_chunks_end_before_its_events_do_is_cut) {
  const std::string event =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
  // Between two events our own can say so; within one only a cut can.
  std::string many;  // More than one read brings, so that the answer is out when its end comes.
  for (int i = 0; i < 4000; ++i) many += chunk(event);
  CannedWorker without_end(chunked_stream_head + many + "0\r\n\r\n");
  Daemon told(only(without_end));
  const auto answer = ask(told);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_NE(answer.body.find("\"Hi\""), std::string::npos);
  EXPECT_NE(answer.body.find("worker_closed"), std::string::npos) << answer.body;
  EXPECT_EQ(told.metric(R"(lmbalancer_errors_total{kind="worker_closed"})"), 1);

  CannedWorker within(chunked_stream_head + many + chunk(event.substr(0, 30)) + "0\r\n\r\n");
  Daemon cut(only(within));
  const auto half = ask(cut);
  EXPECT_EQ(half.status, 200U);
  EXPECT_FALSE(half.complete) << "the last chunk is missing: SDKs report that";
  EXPECT_EQ(cut.metric(R"(lmbalancer_errors_total{kind="worker_closed"})"), 1);
}

TEST(CannedAnswer, a_retried_stream_is_judged_by_its_own_tokens) {
  // A token and a last chunk in one read, without the stream's end: asked elsewhere.
  CannedWorker without_end(chunked_stream_head +
                           chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n") +
                           "0\r\n\r\n");
  auto options = only(without_end);
  options.workers = 2;
  options.speed = 1;
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true, 2)));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.fields.at("x-lmb-worker"), "w2");
  EXPECT_EQ(answer.body.find("Hi"), std::string::npos);
  // The simulated worker takes longer than this for any prompt.
  EXPECT_TRUE(eventually([&] {
    return daemon.metric(R"(lmbalancer_time_to_first_token_seconds_sum{worker="w2"})") > 0.05;
  })) << daemon.metric(R"(lmbalancer_time_to_first_token_seconds_sum{worker="w2"})");
}

TEST(CannedAnswer, endless_interim_answers_are_refused) {
  std::string interim;
  for (int i = 0; i < 1000; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  CannedWorker worker(interim);
  Daemon daemon(only(worker));
  EXPECT_EQ(ask(daemon).status, 502U);
}

TEST(CannedAnswer, a_close_delimited_answer_reaches_a_slow_reader_whole) {
  std::string events;
  const std::string event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
                            std::string(1000, 'x') + "\"}}]}\n\n";
  for (int i = 0; i < 6000; ++i) events += event;
  CannedWorker worker(stream_head + events + "data: [DONE]\n\n");
  auto options = only(worker);
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true)));
  client.read_some(1);
  const auto answer = client.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), events.size() + 14);
}

/// The worker's chunked answer ends within its second event.
constexpr const char* cut_stream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3a\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n\r\n"
    "8\r\ndata: {\"\r\n";

TEST(CannedAnswer, a_cut_stream_shows_as_a_cut_to_clients_of_both_versions) {
  CannedWorker worker(cut_stream);
  auto options = only(worker);
  options.adjust = [adjust = options.adjust](config::Config& config) {
    adjust(config);
    config.scheduling.health.failures_down = 10;
  };
  Daemon daemon(options);
  RawClient chunked(daemon.port());
  chunked.send(post("/v1/chat/completions", chat(true)));
  const auto answer = chunked.read_answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_FALSE(answer.complete) << "no last chunk";

  RawClient old(daemon.port());
  auto request = post("/v1/chat/completions", chat(true));
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  old.send(request);
  old.read_some(1024 * 1024);
  EXPECT_TRUE(old.was_reset()) << "a regular end would make it look whole";
}

TEST(CannedAnswer, a_worker_that_cannot_be_reached_is_probed_at_once) {
  auto worker = std::make_unique<CannedWorker>("");
  auto options = only(*worker);
  options.adjust = [adjust = options.adjust](config::Config& config) {
    adjust(config);
    config.scheduling.no_worker_grace = Duration::zero();
  };
  Daemon daemon(options);
  worker.reset();
  ask(daemon);
  EXPECT_TRUE(eventually([&] {
    return daemon.metric(R"(lmbalancer_probes_total{result="failed",worker="w1"})") == 1;
  })) << "the probe interval is an hour";
}

TEST(CannedAnswer, a_worker_that_waits_for_a_slow_reader_is_one_hit_of_the_stream_buffer) {
  const std::string event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
                            std::string(1000, 'x') + "\"}}]}\n\n";
  std::string events;
  for (int i = 0; i < 20'000; ++i) events += event;  // 20 MB: more than two sockets hold.
  CannedWorker worker(stream_head + events + "data: [DONE]\n\n");
  auto options = only(worker);
  options.adjust = [adjust = options.adjust](config::Config& config) {
    adjust(config);
    config.proxy.limits.stream_buffer = 64 * 1024;
  };
  Daemon daemon(options);
  const std::string hits = R"(lmbalancer_limit_hits_total{limit="limits.stream_buffer"})";
  EXPECT_EQ(daemon.metric(hits), 0);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(eventually([&] { return daemon.metric(hits) == 1; }));
  EXPECT_TRUE(client.read_answer().complete);
  EXPECT_EQ(daemon.metric(hits), 1) << "once an answer, not once a read";
}

TEST(CannedAnswer, a_json_answer_too_large_to_be_judged_is_a_hit_of_held_answer) {
  const std::string body = R"({"choices":[],"padding":")" + std::string(2000, 'x') + R"("})";
  CannedWorker worker(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  for (const bool fits : {true, false}) {
    auto options = only(worker);
    options.adjust = [adjust = options.adjust, &body, fits](config::Config& config) {
      adjust(config);
      config.proxy.limits.held_answer = fits ? body.size() : body.size() - 1;
    };
    Daemon daemon(options);
    RawClient client(daemon.port());
    client.send(post("/v1/chat/completions", chat(false)));
    EXPECT_EQ(client.read_answer().body, body);
    EXPECT_EQ(daemon.metric(R"(lmbalancer_limit_hits_total{limit="limits.held_answer"})"),
              fits ? 0 : 1);
  }
}

}  // namespace
}  // namespace lmb::test
