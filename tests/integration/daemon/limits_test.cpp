// Each limit at the limit and one above: its answer, its metric, and that nothing of it is left.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/gzip.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

constexpr const char* route = "/v1/chat/completions";

DaemonOptions with(std::function<void(config::Config&)> adjust) {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = std::move(adjust);
  return options;
}

unsigned status_of(const Daemon& daemon, const std::string& request) {
  RawClient client(daemon.port());
  client.send(request);
  return client.read_answer().status;
}

bool hits_become(const Daemon& daemon, const std::string& limit, double count) {
  const auto series = "lmbalancer_limit_hits_total{limit=\"" + limit + "\"}";
  return eventually([&] { return daemon.metric(series) == count; });
}

std::string chunked(const std::string& body, const std::string& fields = {}) {
  std::string size;
  const std::string digits = "0123456789abcdef";
  for (auto left = body.size(); left > 0; left /= 16) size.insert(0, 1, digits[left % 16]);
  std::string request = std::string("POST ") + route + " HTTP/1.1\r\nHost: t\r\n";
  request += fields;
  request += "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\n";
  request += body;
  return request + "\r\n0\r\n\r\n";
}

/// A chat request of exactly `size` bytes.
std::string chat_of_size(std::size_t size) {
  auto body = chat(false);
  body.pop_back();
  body += R"(,"user":")";
  const std::string end = "\"}";
  body.append(size - body.size() - end.size(), 'x');
  return body + end;
}

TEST(Limits, of_head_bytes) {
  constexpr std::size_t limit = 1024;
  Daemon daemon(with([](auto& config) { config.proxy.limits.head.head_bytes = limit; }));
  const auto head_of_size = [](std::size_t size) {
    const auto rest = get("/healthz", "X: \r\n").size();
    return get("/healthz", "X: " + std::string(size - rest, 'x') + "\r\n");
  };
  EXPECT_EQ(status_of(daemon, head_of_size(limit)), 200U);
  EXPECT_EQ(status_of(daemon, head_of_size(limit + 1)), 431U);
  EXPECT_TRUE(hits_become(daemon, "limits.head_bytes", 1));
}

TEST(Limits, of_header_fields) {
  Daemon daemon(with([](auto& config) { config.proxy.limits.head.header_count = 3; }));
  EXPECT_EQ(status_of(daemon, get("/healthz", "A: 1\r\nB: 2\r\n")), 200U);
  EXPECT_EQ(status_of(daemon, get("/healthz", "A: 1\r\nB: 2\r\nC: 3\r\n")), 431U);
  EXPECT_TRUE(hits_become(daemon, "limits.header_count", 1));
}

TEST(Limits, of_target_bytes) {
  Daemon daemon(with([](auto& config) { config.proxy.limits.head.target_bytes = 20; }));
  EXPECT_EQ(status_of(daemon, get("/healthz?" + std::string(11, 'x'))), 200U);
  EXPECT_EQ(status_of(daemon, get("/healthz?" + std::string(12, 'x'))), 414U);
  EXPECT_TRUE(hits_become(daemon, "limits.target_bytes", 1));
}

TEST(Limits, of_body_bytes_in_every_form_a_body_can_have) {
  const auto fits = chat_of_size(1000);
  const auto above = fits + " ";
  Daemon daemon(with([&](auto& config) { config.proxy.limits.body_bytes = fits.size(); }));
  const std::string zipped = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(status_of(daemon, post(route, fits)), 200U);
  EXPECT_EQ(status_of(daemon, chunked(fits)), 200U);
  // What arrives is far below the limit; what it inflates to counts.
  ASSERT_LT(gzip(above).size(), fits.size());
  EXPECT_EQ(status_of(daemon, post(route, gzip(fits), zipped)), 200U);
  EXPECT_EQ(status_of(daemon, post(route, above)), 413U);
  EXPECT_EQ(status_of(daemon, chunked(above)), 413U);
  EXPECT_EQ(status_of(daemon, post(route, gzip(above), zipped)), 413U);
  EXPECT_EQ(status_of(daemon, chunked(gzip(above), zipped)), 413U);
  EXPECT_TRUE(hits_become(daemon, "limits.body_bytes", 4));
  EXPECT_EQ(daemon.metric("lmbalancer_body_memory_bytes"), 0);
}

TEST(Limits, of_body_bytes_are_told_when_a_chunk_announces_more_before_it_comes) {
  Daemon daemon(with([](auto& config) { config.proxy.limits.body_bytes = 1000; }));
  const std::string head =
      std::string("POST ") + route + " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  // 1001 bytes, alone and behind others, and as many as 64 bits can say.
  for (const char* chunks :
       {"3e9\r\n", "1\r\n{\r\n3e8\r\n", "ffffffffffffffff\r\n", "1\r\n{\r\nffffffffffffffff\r\n"}) {
    EXPECT_EQ(status_of(daemon, head + chunks), 413U) << chunks;
  }
  RawClient client(daemon.port());
  client.send(head + "3e8\r\n");
  client.send(chat_of_size(1000) + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST(Limits, of_64_mebibytes_by_default) {
  constexpr std::size_t limit = 64 * 1024 * 1024;
  Daemon daemon(with([](auto&) {}));
  EXPECT_EQ(status_of(daemon, post(route, chat_of_size(limit))), 200U);
  // The refusal comes while the client still sends: it must reach it all the same.
  EXPECT_EQ(status_of(daemon, chunked(chat_of_size(limit + 1))), 413U);
  EXPECT_EQ(status_of(daemon, post(route, chat(false))), 200U);
  EXPECT_EQ(daemon.metric("lmbalancer_body_memory_bytes"), 0);
}

TEST(Limits, of_memory_for_bodies_holds_to_the_byte) {
  constexpr std::size_t limit = 300'000;
  Daemon daemon(with([](auto& config) { config.proxy.limits.body_memory = limit; }));
  EXPECT_EQ(status_of(daemon, post(route, chat_of_size(limit))), 200U);
  EXPECT_EQ(status_of(daemon, post(route, chat_of_size(limit + 1))), 503U);
  EXPECT_TRUE(hits_become(daemon, "limits.body_memory", 1));
  EXPECT_EQ(status_of(daemon, chunked(chat_of_size(limit))), 200U);
  EXPECT_EQ(status_of(daemon, chunked(chat_of_size(limit + 1))), 503U);
  EXPECT_TRUE(hits_become(daemon, "limits.body_memory", 2));
}

TEST(Limits, of_memory_for_all_bodies_together) {
  const std::size_t limit = 300'000;
  Daemon daemon(with([](auto& config) { config.proxy.limits.body_memory = limit; }));
  RawClient first(daemon.port());
  const auto body = chat_of_size(100'000);
  const auto request = post(route, body);
  first.send(request.substr(0, request.size() - 10));
  ASSERT_TRUE(eventually([&] {
    const auto charged = daemon.metric("lmbalancer_body_memory_bytes");
    return charged >= static_cast<double>(body.size() - 10) &&
           charged <= static_cast<double>(body.size() + 1000);
  }));
  RawClient second(daemon.port());
  second.send(post(route, chat_of_size(250'000)));
  const auto refused = second.read_answer();
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(refused.fields.count("retry-after"), 1U);
  EXPECT_TRUE(second.at_end());
  EXPECT_TRUE(hits_become(daemon, "limits.body_memory", 1));
  EXPECT_EQ(status_of(daemon, post(route, chat(false))), 200U) << "small ones still fit";
  first.send(request.substr(request.size() - 10));
  EXPECT_EQ(first.read_answer().status, 200U);
  EXPECT_TRUE(eventually([&] { return daemon.metric("lmbalancer_body_memory_bytes") == 0; }));
  EXPECT_EQ(status_of(daemon, post(route, chat_of_size(2000))), 200U);
}

TEST(Limits, of_memory_for_bodies_hold_while_a_body_is_inflated) {
  Daemon daemon(with([](auto& config) {
    config.proxy.limits.body_memory = 1'000'000;
    config.proxy.limits.body_bytes = 2'000'000;
  }));
  const auto zipped = [](std::size_t size) {
    return post(route, gzip(chat_of_size(size)), "Content-Encoding: gzip\r\n");
  };
  // Above both limits: the memory's is met first, before all of it is there.
  EXPECT_EQ(status_of(daemon, zipped(3'000'000)), 503U);
  EXPECT_TRUE(hits_become(daemon, "limits.body_memory", 1));
  EXPECT_EQ(status_of(daemon, zipped(900'000)), 200U);
  EXPECT_TRUE(eventually([&] { return daemon.metric("lmbalancer_body_memory_bytes") == 0; }));
}

TEST(Limits, a_client_that_leaves_in_the_middle_of_its_body_gives_its_memory_back) {
  Daemon daemon(with([](auto&) {}));
  RawClient client(daemon.port());
  const auto request = post(route, chat_of_size(50'000));
  client.send(request.substr(0, 40'000));
  ASSERT_TRUE(eventually([&] { return daemon.metric("lmbalancer_body_memory_bytes") > 0; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return daemon.metric("lmbalancer_body_memory_bytes") == 0; }));
}

TEST(Limits, of_time_for_the_whole_request) {
  Daemon daemon(
      with([](auto& config) { config.proxy.timeouts.request = std::chrono::milliseconds(200); }));
  daemon.fleet().set_fault(0, sim::Fault::stall_before_head);
  RawClient client(daemon.port());
  client.send(post(route, chat(true)));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 504U) << answer.body;
  EXPECT_NE(answer.body.find("\"request_timeout\""), std::string::npos) << answer.body;
  EXPECT_TRUE(hits_become(daemon, "timeouts.request", 1));
  EXPECT_EQ(daemon.fleet().counters(0).faults, 1U) << "never tried again: it may still compute";
}

TEST(Limits, of_time_that_a_client_takes_no_byte) {
  std::string events;
  for (int i = 0; i < 20'000; ++i) {
    events += "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
              std::string(1000, 'x') + "\"}}]}\n\n";
  }
  CannedWorker worker("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + events);
  Daemon daemon(with([&](auto& config) {
    config.addresses[0].port = worker.port();
    config.proxy.timeouts.client_write = std::chrono::milliseconds(200);
  }));
  RawClient client(daemon.port());
  client.send(post(route, chat(true)));
  EXPECT_TRUE(hits_become(daemon, "timeouts.client_write", 1));
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
  EXPECT_FALSE(client.read_answer().complete) << "what was cut must not look whole";
}

TEST(Limits, of_head_and_body_times_are_counted) {
  Daemon daemon(with([](auto& config) {
    config.proxy.timeouts.client_head = std::chrono::milliseconds(100);
    config.proxy.timeouts.client_body = std::chrono::milliseconds(100);
  }));
  EXPECT_EQ(status_of(daemon, "GET /healthz HTT"), 408U);
  const auto request = post(route, chat(false));
  EXPECT_EQ(status_of(daemon, request.substr(0, request.size() - 1)), 408U);
  EXPECT_TRUE(hits_become(daemon, "timeouts.client_head", 1));
  EXPECT_TRUE(hits_become(daemon, "timeouts.client_body", 1));
}

TEST(Limits, of_the_queue_are_counted) {
  auto options = with([](auto& config) {
    config.fleet[0].slots = 1;
    config.scheduling.queue_length = 1;
    config.proxy.queue.other = std::chrono::seconds(1);
  });
  Daemon daemon(options);
  daemon.fleet().set_fault(0, sim::Fault::stall_before_head);
  RawClient running(daemon.port());
  running.send(post(route, chat(false)));
  ASSERT_TRUE(eventually([&] { return daemon.in_flight() == 1; }));
  RawClient waiting(daemon.port());
  waiting.send(post(route, chat(false)));
  ASSERT_TRUE(eventually([&] { return daemon.server().fleet().queued == 1; }));
  EXPECT_EQ(status_of(daemon, post(route, chat(false))), 503U);
  EXPECT_TRUE(hits_become(daemon, "queue.length", 1));
  EXPECT_EQ(waiting.read_answer().status, 504U);
  EXPECT_TRUE(hits_become(daemon, "queue.max_wait", 1));
  running.close();
}

TEST(Limits, an_invitation_is_sent_only_for_a_body_that_is_wanted) {
  Daemon daemon(with([](auto& config) { config.proxy.limits.body_bytes = 1000; }));
  const auto expecting = [](const std::string& line, std::size_t size) {
    return line + "\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n";
  };
  EXPECT_EQ(status_of(daemon, expecting("POST /v1/chat/completions HTTP/1.1", 1001)), 413U);
  EXPECT_EQ(status_of(daemon, expecting("POST /v1/nope HTTP/1.1", 10)), 404U);
  EXPECT_EQ(status_of(daemon, expecting("PUT /v1/chat/completions HTTP/1.1", 10)), 405U);
  // HTTP/1.0 knows no interim answers.
  const auto body = chat(false);
  RawClient old(daemon.port());
  old.send(expecting("POST /v1/chat/completions HTTP/1.0", body.size()) + body);
  EXPECT_EQ(old.read_answer().status, 200U);
  RawClient eager(daemon.port());
  eager.send(expecting("POST /v1/chat/completions HTTP/1.1", body.size()) + body);
  EXPECT_EQ(eager.read_answer().status, 200U) << "a client that sent its body needs no invitation";
}

TEST(Limits, of_bodies_that_wait_to_be_inflated) {
  Daemon daemon(with([](auto& config) { config.proxy.limits.inspections = 2; }));
  const auto bomb = gzip(std::string(60'000'000, ' '));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<RawClient>(daemon.port()));
    clients.back()->send(post(route, bomb, "Content-Encoding: gzip\r\n"));
  }
  EXPECT_FALSE(daemon.metrics().empty()) << "a scrape does not wait behind bodies";
  int refused = 0;
  for (auto& client : clients) {
    const auto status = client->read_answer().status;
    EXPECT_TRUE(status == 400 || status == 503) << status;
    if (status == 503) ++refused;
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(hits_become(daemon, "limits.inspections", refused));
}

TEST(Limits, a_body_whose_client_left_is_not_inflated_to_its_end) {
  Daemon daemon(with([](auto&) {}));
  const auto bomb = gzip(std::string(60'000'000, ' '));
  for (int i = 0; i < 20; ++i) {
    RawClient client(daemon.port());
    client.send(post(route, bomb, "Content-Encoding: gzip\r\n"));
    client.reset();
  }
  EXPECT_TRUE(eventually([&] {
    return daemon.metric(R"(lmbalancer_errors_total{kind="client_gone"})") +
               daemon.metric(R"(lmbalancer_errors_total{kind="bad_json"})") ==
           20;
  }));
}

std::size_t series_of(const Daemon& daemon) {
  const auto page = daemon.metrics();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) {
    lines += page[at] == '#' ? 0U : 1U;
    if (page.find('\n', at) == std::string::npos) break;
  }
  return lines;
}

TEST(Limits, of_label_values_no_client_can_reach) {
  Daemon daemon(with([](auto&) {}));
  const auto ask = [&](const std::string& id) {
    auto body = chat(false);
    body.replace(body.find(model), std::string(model).size(), "model-" + id);
    for (const auto& request :
         {get("/v1/path-" + id), get("/v1/models/" + id), post(route, body), post("/" + id, "{}"),
          "M" + id + " /v1/models HTTP/1.1\r\nHost: host-" + id + "\r\n\r\n",
          get("/healthz",
              "User-Agent: agent-" + id + "\r\nAuthorization: Bearer " + id + "\r\n")}) {
      RawClient client(daemon.port());
      client.send(request);
      EXPECT_GE(client.read_answer().status, 200U);
    }
  };
  ask("first");
  ask("second");
  // Scrapes count themselves, and a shard's lag has its series from its first tick on.
  ASSERT_TRUE(eventually([&] {
    return daemon.metrics().find("\nlmbalancer_loop_lag_seconds_count{") != std::string::npos;
  }));
  ASSERT_TRUE(eventually([&] { return daemon.metric("lmbalancer_client_connections") <= 1; }));
  const auto series = series_of(daemon);
  for (int i = 0; i < 50; ++i) ask(std::to_string(i));
  ASSERT_TRUE(eventually([&] { return daemon.metric("lmbalancer_client_connections") <= 1; }));
  EXPECT_EQ(series_of(daemon), series);
}

}  // namespace
}  // namespace lmb::test
