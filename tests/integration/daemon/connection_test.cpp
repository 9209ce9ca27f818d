// Client connections: limits, keep-alive, slow readers.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lmb/net/network.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

TEST(Connection, of_a_client_that_ends_its_sending_side_is_kept_where_the_operator_says_so) {
  for (const auto half_close : {net::HalfClose::keep, net::HalfClose::abort}) {
    const bool keep = half_close == net::HalfClose::keep;
    DaemonOptions options;
    // Who is to be given up needs an answer that cannot end before its FIN comes.
    if (!keep) options.speed = 1;
    options.adjust = [half_close](config::Config& config) {
      config.proxy.client_half_close = half_close;
    };
    Daemon daemon(options);
    RawClient client(daemon.port());
    client.send(post("/v1/chat/completions", chat(true, keep ? 20 : 2000)));
    client.shutdown_send();
    if (keep) {
      const auto answer = client.read_answer();
      EXPECT_EQ(answer.status, 200U);
      EXPECT_NE(answer.body.find("[DONE]"), std::string::npos);
    }
    EXPECT_TRUE(eventually([&] {
      return daemon.metric(R"(lmbalancer_errors_total{kind="client_gone"})") == (keep ? 0 : 1) &&
             daemon.in_flight() == 0;
    }));
  }
}

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

TEST(Connection, one_that_never_speaks_is_closed_without_a_word) {
  DaemonOptions options;
  options.adjust = [](config::Config& config) {
    config.proxy.timeouts.client_head = std::chrono::milliseconds(100);
  };
  Daemon daemon(options);
  RawClient client(daemon.port());
  EXPECT_TRUE(client.at_end());
}

TEST(Connection, http_1_0_keeps_alive_only_when_asked_to) {
  Daemon daemon;
  RawClient client(daemon.port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.fields.at("connection"), "keep-alive");
    EXPECT_EQ(answer.fields.at("content-length"), "15");
  }
  client.send("GET /healthz HTTP/1.0\r\n\r\n");
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
  EXPECT_EQ(nlohmann::json::parse(refused.body).at("error").at("code"), "too_many_connections");
  first.send(get("/healthz"));
  EXPECT_EQ(first.read_answer().status, 200U);
}

TEST(Connection, too_many_of_one_client_are_refused_unless_it_is_a_trusted_proxy) {
  for (const bool trusted : {false, true}) {
    DaemonOptions options;
    options.adjust = [trusted](config::Config& config) {
      config.net.connections_per_client_max = 2;
      if (trusted) config.proxy.auth.trusted_proxies = {*net::parse_network("127.0.0.0/8")};
    };
    Daemon daemon(options);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<RawClient>(daemon.port()));
      if (i < 2 || trusted) {
        clients.back()->send(get("/healthz"));
        EXPECT_EQ(clients.back()->read_answer().status, 200U) << i;
      }
    }
    if (trusted) continue;
    EXPECT_EQ(clients.back()->read_answer().status, 503U);
    clients.front()->close();
    EXPECT_TRUE(eventually([&] {
      RawClient again(daemon.port());
      again.send(get("/healthz"));
      return again.read_answer().status == 200U;
    })) << "a place was lost";
    clients.clear();
    EXPECT_TRUE(eventually([&] {
      return daemon.metric(
                 R"(lmbalancer_limit_hits_total{limit="limits.connections_per_client"})") >= 1;
    }));
  }
}

TEST(Connection, a_refused_client_that_is_still_sending_gets_its_answer) {
  DaemonOptions options;
  options.threads = 1;
  options.adjust = [](config::Config& config) { config.net.connections_max = 1; };
  Daemon daemon(options);
  RawClient first(daemon.port());
  first.send(get("/healthz"));
  ASSERT_EQ(first.read_answer().status, 200U);
  for (int i = 0; i < 20; ++i) {
    RawClient refused(daemon.port());
    refused.send(post("/v1/chat/completions", std::string(2'000'000, ' ')));
    EXPECT_EQ(refused.read_answer().status, 503U);
    EXPECT_TRUE(refused.at_end());
    EXPECT_FALSE(refused.was_reset());
  }
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

TEST(Connection, to_a_worker_beyond_the_pools_limit_is_closed_and_counted) {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.speed = 20;
  options.adjust = [](config::Config& config) { config.upstream.pool_connections_max = 1; };
  Daemon daemon(options);
  RawClient first(daemon.port());
  RawClient second(daemon.port());
  first.send(post("/v1/chat/completions", chat(true, 100)));
  first.read_some(1);
  second.send(post("/v1/chat/completions", chat(true, 100)));
  EXPECT_TRUE(first.read_answer().complete);
  EXPECT_TRUE(second.read_answer().complete);
  const std::string hits = R"(lmbalancer_limit_hits_total{limit="limits.pool_connections"})";
  EXPECT_TRUE(eventually([&] { return daemon.metric(hits) == 1; }));
}

TEST(Connection, a_head_may_be_cut_anywhere) {
  Daemon daemon;
  const auto head = get("/healthz", "X-Request-Id: a-request-id-longer-than-16\r\n");
  RawClient client(daemon.port());
  for (std::size_t cut = 1; cut < head.size(); ++cut) {
    client.send(head.substr(0, cut));
    // The first part must have been read by itself: another connection's answer comes after that.
    RawClient other(daemon.port());
    other.send(get("/healthz", "Connection: close\r\n"));
    ASSERT_EQ(other.read_answer().status, 200U);
    client.send(head.substr(cut));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.status, 200U) << "cut at " << cut;
    ASSERT_EQ(answer.fields.at("x-request-id"), "a-request-id-longer-than-16") << "cut at " << cut;
  }
}

TEST(Connection, pipelined_requests_without_bodies_are_answered_in_order) {
  Daemon daemon;
  RawClient client(daemon.port());
  client.send(get("/healthz") + get("/readyz") + get("/nope") + get("/v1/models") +
              get("/healthz"));
  EXPECT_EQ(client.read_answer().body, R"({"status":"ok"})");
  EXPECT_EQ(client.read_answer().body, R"({"ready":true})");
  EXPECT_EQ(client.read_answer().status, 404U);
  EXPECT_TRUE(client.read_answer().body.starts_with(R"({"object":"list")"));
  EXPECT_EQ(client.read_answer().body, R"({"status":"ok"})");
}

TEST(Connection, a_client_that_does_not_read_its_refusals_gets_nobody_elses_bytes) {
  DaemonOptions options;
  options.threads = 1;
  Daemon daemon(options);
  RawClient silent(daemon.port());
  std::string requests;
  constexpr int count = 3000;
  for (int i = 0; i < count; ++i) requests += get("/nope", "X-Request-Id: silent\r\n");
  silent.send(requests);
  for (int i = 0; i < 20; ++i) {
    RawClient other(daemon.port());
    other.send(get("/v1/models/other", "X-Request-Id: other\r\n"));
    ASSERT_EQ(other.read_answer().status, 404U);
  }
  for (int i = 0; i < count; ++i) {
    const auto answer = silent.read_answer();
    ASSERT_EQ(answer.status, 404U) << i;
    ASSERT_EQ(answer.fields.at("x-request-id"), "silent") << i;
  }
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
