#include "framing_fixture.hpp"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "lmb/protocol/body_decoder.hpp"
#include "lmb/protocol/head.hpp"

namespace lmb::test {
namespace {

const std::string worker_answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

bool asks_head(const HostileRequest& request) {
  return request.bytes.starts_with("HEAD ");
}

/// The kind of error by which the pure rules refuse the bytes; empty when they do not.
std::string refused_by_rule(std::string bytes) {
  const protocol::HeadLimits limits;
  const auto end = protocol::find_head_end(bytes, 0, limits);
  if (!end) return std::string(to_string(end.error().kind()));
  protocol::RequestHead head;
  const auto parsed =
      protocol::parse_request_head(std::string_view(bytes).substr(0, *end), limits, head);
  if (!parsed) return std::string(to_string(parsed.error().kind()));
  protocol::BodyDecoder decoder(head.framing, head.content_length);
  std::string body = bytes.substr(*end);
  return decoder.decode(body).broken ? "bad_chunk" : "";
}

/// One that nobody must see: it would be answered with 200, and given to a worker.
std::string smuggled() {
  return post(chat_route, chat(false), "X-Request-Id: smuggled\r\n") +
         get("/v1/models", "X-Request-Id: smuggled\r\n");
}

}  // namespace

HostileRequest hostile_line(std::string name, std::string_view line) {
  return {std::move(name), std::string(line) + "\r\nHost: t\r\n\r\n"};
}

HostileRequest hostile_fields(std::string name, std::string_view fields) {
  return {std::move(name), chat_head(std::string(fields) + "\r\n") + "hello"};
}

HostileRequest hostile_chunks(std::string name, std::string_view body) {
  return {std::move(name), chat_head("Transfer-Encoding: chunked\r\n") + std::string(body),
          "bad_chunk", 400, chat_route};
}

std::string chat_head(std::string_view fields) {
  std::string head = "POST ";
  head += chat_route;
  head += " HTTP/1.1\r\nHost: t\r\n";
  head += fields;
  return head + "\r\n";
}

FramingFixture::FramingFixture() : log_path_(testing::TempDir() + "lmbalancer-framing-XXXXXX") {
  ::close(::mkstemp(log_path_.data()));
  worker_ = std::make_unique<CannedWorker>(worker_answer);
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [this](config::Config& config) {
    config.addresses[0].port = worker_->port();
    config.addresses[0].api_key = "sk-worker";
    config.upstream.probe_interval = std::chrono::hours(1);
    config.telemetry.access_log = log_path_;
  };
  daemon_ = std::make_unique<Daemon>(options);
}

FramingFixture::~FramingFixture() {
  ::unlink(log_path_.c_str());
}

void FramingFixture::TearDown() {
  expect_nothing_left();
  daemon_.reset();
  expect_log();
}

void FramingFixture::expect_refused(const HostileRequest& request) {
  SCOPED_TRACE(request.name);
  EXPECT_EQ(refused_by_rule(request.bytes), request.kind);
  {
    RawClient alone(daemon_->port());
    alone.send(request.bytes);
    expect_one_answer(alone, request);
  }
  if (HasFailure()) return;
  {
    RawClient pipelined(daemon_->port());
    pipelined.send(get("/healthz") + request.bytes + smuggled());
    const auto good = pipelined.read_answer();
    EXPECT_EQ(good.status, 200U);
    expect_line(good, "", "--");
    expect_one_answer(pipelined, request);
  }
  if (HasFailure()) return;
  {
    RawClient cut(daemon_->port());
    cut.send(request.bytes.substr(0, request.bytes.size() / 2));
    // The first part is read by itself: another connection's answer comes after that.
    RawClient other(daemon_->port());
    other.send(get("/healthz", "Connection: close\r\n"));
    expect_line(other.read_answer(), "", "--");
    cut.send(request.bytes.substr(request.bytes.size() / 2) + smuggled());
    expect_one_answer(cut, request);
  }
  if (HasFailure()) return;
  EXPECT_TRUE(counts_become(request, 3));
  EXPECT_EQ(worker_->asked(), 0) << "a worker was asked";
}

void FramingFixture::expect_all_refused(const std::vector<HostileRequest>& requests) {
  for (const auto& each : requests) {
    // What is not refused may wait for more until a time-out: one row is enough to know.
    if (!HasFailure()) expect_refused(each);
  }
}

void FramingFixture::expect_one_answer(RawClient& client, const HostileRequest& request) {
  const bool to_head = asks_head(request);
  const auto answer = client.read_answer(to_head);
  ASSERT_EQ(answer.status, request.status) << answer.body;
  EXPECT_TRUE(answer.complete);
  if (!to_head) {
    EXPECT_NE(answer.body.find("\"code\":\"" + request.kind + "\""), std::string::npos)
        << answer.body;
  }
  ASSERT_EQ(answer.fields.count("connection"), 1U);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  ASSERT_TRUE(client.at_end()) << "something follows, or the connection stays";
  EXPECT_FALSE(client.was_reset());
  expect_line(answer, request.kind, "PR");
}

void FramingFixture::expect_unanswered(const std::string& name, const std::string& bytes,
                                       const std::string& route) {
  SCOPED_TRACE(name);
  RawClient client(daemon_->port());
  client.send(bytes);
  client.shutdown_send();
  ASSERT_TRUE(client.at_end());
  EXPECT_TRUE(counts_become({name, bytes, "client_gone", 0, route}, 1));
  EXPECT_EQ(worker_->asked(), 0) << "a worker was asked";
  ++unanswered_;
}

bool FramingFixture::counts_become(const HostileRequest& request, int count) {
  const std::string errors = "lmbalancer_errors_total{kind=\"" + request.kind + "\"}";
  const std::string code = request.status == 0 ? "none" : std::to_string(request.status);
  const std::string requests = "lmbalancer_requests_total{code=\"" + code + "\",route=\"" +
                               request.route + "\",worker=\"none\"}";
  for (const auto& series : {errors, requests}) counts_[series] += count;
  return eventually([&] {
    return daemon_->metric(errors) == counts_[errors] &&
           daemon_->metric(requests) == counts_[requests];
  });
}

void FramingFixture::expect_line(const RawAnswer& answer, const std::string& kind,
                                 const std::string& ended) {
  const auto id = answer.fields.find("x-request-id");
  ASSERT_NE(id, answer.fields.end());
  lines_[id->second] = Line{kind, ended, answer.status};
}

http::Request FramingFixture::expect_forwarded(const std::string& name,
                                               const std::string& request) {
  SCOPED_TRACE(name);
  const auto asked = worker_->asked();
  RawClient client(daemon_->port());
  client.send(request);
  const auto first = client.read_answer();
  EXPECT_EQ(first.status, 200U) << first.body;
  EXPECT_EQ(first.body, "{}");
  EXPECT_EQ(first.fields.count("upgrade") + first.fields.count("transfer-encoding"), 0U);
  EXPECT_TRUE(first.complete);
  EXPECT_EQ(worker_->asked(), asked + 1);
  auto seen = worker_->last_request();
  expect_line(first, "", "--");
  client.send(post(chat_route, chat(false)));
  const auto second = client.read_answer();
  EXPECT_EQ(second.status, 200U) << second.body;
  EXPECT_EQ(worker_->asked(), asked + 2);
  expect_line(second, "", "--");
  return seen;
}

void FramingFixture::expect_nothing_left() {
  EXPECT_TRUE(eventually([this] {
    const auto fleet = daemon_->server().fleet();
    return daemon_->in_flight() == 0 && fleet.queued == 0 && fleet.workers[0].settling == 0 &&
           daemon_->metric("lmbalancer_body_memory_bytes") == 0 &&
           daemon_->metric("lmbalancer_queue_depth") == 0 &&
           daemon_->metric("lmbalancer_inflight_requests{worker=\"w1\"}") == 0 &&
           // The one that asks.
           daemon_->metric("lmbalancer_client_connections") == 1;
  })) << daemon_->metrics();
  EXPECT_EQ(daemon_->metric("lmbalancer_internal_errors_total"), 0);
}

void FramingFixture::expect_log() {
  std::ifstream log(log_path_);
  std::size_t expected = 0;
  std::size_t unanswered = 0;
  for (std::string text; std::getline(log, text);) {
    const auto line = nlohmann::json::parse(text);
    if (line.at("route") == "/metrics") continue;
    if (line.at("status") == 0) {
      ++unanswered;
      EXPECT_EQ(line.at("error"), "client_gone") << text;
      EXPECT_EQ(line.at("termination"), "CR") << text;
      continue;
    }
    const auto found = lines_.find(line.at("request_id").get<std::string>());
    ASSERT_NE(found, lines_.end()) << "nobody saw this answer: " << text;
    ++expected;
    const auto& want = found->second;
    const auto& error = line.at("error");
    EXPECT_EQ(error.is_null() ? std::string() : error.get<std::string>(), want.error) << text;
    EXPECT_EQ(line.at("termination"), want.termination) << text;
    EXPECT_EQ(line.at("status"), want.status) << text;
    if (want.error.empty()) continue;
    EXPECT_TRUE(line.at("worker").is_null()) << text;
    EXPECT_EQ(line.at("attempts"), 0) << text;
  }
  EXPECT_EQ(expected, lines_.size()) << "requests without a line";
  EXPECT_EQ(unanswered, unanswered_);
}

}  // namespace lmb::test
