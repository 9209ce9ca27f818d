// What a worker sees of a request, and a client of an answer.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/gzip.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

const std::string plain_answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

DaemonOptions only(const CannedWorker& worker) {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [port = worker.port()](config::Config& config) {
    config.addresses[0].port = port;
    config.upstream.probe_interval = std::chrono::hours(1);
  };
  return options;
}

RawAnswer ask(Daemon& daemon, const std::string& body, const std::string& fields) {
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions?x=1", body, fields));
  return client.read_answer();
}

std::size_t count_of(const http::Request& request, std::string_view name) {
  std::size_t count = 0;
  for (const auto& field : request.fields) {
    std::string lower;
    for (const char c : field.first) {
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    if (lower == name) ++count;
  }
  return count;
}

TEST(Forwarding, a_trusted_proxy_says_who_asks) {
  CannedWorker worker(plain_answer);
  auto options = only(worker);
  const auto adjust = options.adjust;
  options.adjust = [adjust](config::Config& config) {
    adjust(config);
    config.proxy.auth.trusted_proxies = {*net::parse_network("127.0.0.0/8")};
  };
  Daemon daemon(options);
  RawClient client(daemon.port());
  const auto forwarded = [&](const std::string& field) {
    client.send(post("/v1/chat/completions", chat(false), field));
    EXPECT_EQ(client.read_answer().status, 200U);
    return std::string(worker.last_request().field("x-forwarded-for"));
  };
  EXPECT_EQ(forwarded("X-Forwarded-For: 198.51.100.9, 203.0.113.1\r\n"), "203.0.113.1, 127.0.0.1");
  EXPECT_EQ(forwarded("X-Forwarded-For: 203.0.113.2\r\n"), "203.0.113.2, 127.0.0.1")
      << "another client on the proxy's connection";
  EXPECT_EQ(forwarded(""), "127.0.0.1");
}

TEST(Forwarding, a_worker_is_told_who_asks_and_through_whom) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  const auto body = chat(false);
  const auto answer = ask(daemon, body, "X-Request-Id: abc-1\r\nX-Custom: passes\r\n");
  ASSERT_EQ(answer.status, 200U) << answer.body;
  const auto seen = worker.last_request();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/v1/chat/completions?x=1");
  EXPECT_TRUE(seen.http_1_1);
  EXPECT_EQ(seen.body, body);
  EXPECT_EQ(seen.field("host"), "127.0.0.1:" + std::to_string(worker.port()));
  EXPECT_TRUE(seen.field("via").starts_with("1.1 lmbalancer-")) << seen.field("via");
  EXPECT_EQ(seen.field("x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(seen.field("x-request-id"), "abc-1");
  EXPECT_EQ(seen.field("content-type"), "application/json");
  EXPECT_EQ(seen.field("content-length"), std::to_string(body.size()));
  EXPECT_EQ(seen.field("x-custom"), "passes");
  for (const auto* name : {"host", "via", "x-forwarded-for", "x-request-id", "content-length"}) {
    EXPECT_EQ(count_of(seen, name), 1U) << name;
  }
}

TEST(Forwarding, via_tells_the_clients_version) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  RawClient client(daemon.port());
  const auto body = chat(false);
  client.send("POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(client.read_answer().status, 200U);
  const auto via = std::string(worker.last_request().field("via"));
  EXPECT_TRUE(via.starts_with("1.0 lmbalancer-")) << via;
  EXPECT_TRUE(worker.last_request().http_1_1) << "whatever the client speaks";
}

TEST(Forwarding, a_request_that_comes_back_is_refused_as_a_loop) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  Daemon other(only(worker));
  ASSERT_EQ(ask(daemon, chat(false), "Via: 1.1 lmbalancer\r\n").status, 200U);
  const auto seen = worker.last_request();
  std::string via;
  for (const auto& field : seen.fields) {
    if (field.first == "via" || field.first == "Via") via += "Via: " + field.second + "\r\n";
  }
  const auto asked = worker.asked();
  const auto refused = ask(daemon, chat(false), via);
  EXPECT_EQ(refused.status, 508U);
  EXPECT_NE(refused.body.find(R"("code":"loop")"), std::string::npos) << refused.body;
  EXPECT_EQ(worker.asked(), asked);
  EXPECT_EQ(ask(other, chat(false), via).status, 200U) << "each instance has a name of its own";
}

TEST(Forwarding, a_request_without_an_id_is_given_one) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  const auto answer = ask(daemon, chat(false), "X-Request-Id: not harmless\r\n");
  const auto given = answer.fields.at("x-request-id");
  EXPECT_EQ(given.size(), 16U);
  EXPECT_EQ(given.find_first_not_of("0123456789abcdef"), std::string::npos) << given;
  EXPECT_EQ(worker.last_request().field("x-request-id"), given);
  EXPECT_NE(ask(daemon, chat(false), "").fields.at("x-request-id"), given);
}

TEST(Forwarding, fields_of_the_clients_connection_end_here) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  const auto answer =
      ask(daemon, chat(false),
          "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\nTE: trailers\r\n"
          "Proxy-Authorization: Basic x\r\nUpgrade: h2c\r\nAccept-Encoding: gzip\r\n"
          "Cookie: a=b\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4\r\n");
  ASSERT_EQ(answer.status, 200U);
  const auto seen = worker.last_request();
  for (const auto* name :
       {"connection", "keep-alive", "x-hop", "te", "proxy-authorization", "upgrade",
        "accept-encoding", "cookie", "x-forwarded-host", "forwarded", "transfer-encoding"}) {
    EXPECT_EQ(count_of(seen, name), 0U) << name;
  }
}

TEST(Forwarding, a_clients_keys_go_nowhere) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  ask(daemon, chat(false), "Authorization: Bearer sk-client\r\nX-Api-Key: sk-client\r\n");
  const auto seen = worker.last_request();
  EXPECT_EQ(count_of(seen, "authorization"), 0U);
  EXPECT_EQ(count_of(seen, "x-api-key"), 0U);
}

TEST(Forwarding, a_workers_key_goes_to_that_worker_only) {
  CannedWorker with(plain_answer);
  CannedWorker without(plain_answer);
  DaemonOptions options;
  options.workers = 2;
  options.threads = 1;
  options.adjust = [&](config::Config& config) {
    config.addresses[0].port = with.port();
    config.addresses[0].api_key = "sk-worker";
    config.addresses[1].port = without.port();
    config.upstream.probe_interval = std::chrono::hours(1);
  };
  Daemon daemon(options);
  for (int i = 0; i < 4; ++i) {
    ask(daemon, chat(false), "Authorization: Bearer sk-client\r\n");
  }
  ASSERT_EQ(with.asked(), 2);
  ASSERT_EQ(without.asked(), 2);
  EXPECT_EQ(with.last_request().field("authorization"), "Bearer sk-worker");
  EXPECT_EQ(count_of(with.last_request(), "authorization"), 1U);
  EXPECT_EQ(count_of(without.last_request(), "authorization"), 0U);
}

TEST(Forwarding, a_body_reaches_the_worker_plain_and_counted_however_it_came) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  const auto body = chat(false);
  for (const bool zipped : {true, false}) {
    const auto sent = zipped ? gzip(body) : body;
    std::string request =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n";
    if (zipped) request += "Content-Encoding: gzip\r\n";
    request += "\r\n";
    for (const char byte : sent) request += std::string("1\r\n") + byte + "\r\n";
    request += "0\r\n\r\n";
    RawClient client(daemon.port());
    client.send(request);
    ASSERT_EQ(client.read_answer().status, 200U);
    const auto seen = worker.last_request();
    EXPECT_EQ(seen.body, body);
    EXPECT_EQ(seen.field("content-length"), std::to_string(body.size()));
    EXPECT_EQ(count_of(seen, "content-encoding"), 0U);
    EXPECT_EQ(count_of(seen, "transfer-encoding"), 0U);
  }
}

TEST(Forwarding, of_a_workers_fields_only_the_useful_reach_the_client) {
  CannedWorker worker(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Powered-By: Express\r\n"
      "X-Stats: 1\r\nServer: node\r\nSet-Cookie: a=b\r\nVia: 1.1 other\r\nX-Lmb-Worker: forged\r\n"
      "X-Request-Id: forged\r\nConnection: X-Listed\r\nX-Listed: 1\r\n"
      "Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\n{}");
  Daemon daemon(only(worker));
  const auto answer = ask(daemon, chat(false), "X-Request-Id: mine\r\n");
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  EXPECT_EQ(answer.fields.at("x-stats"), "1");
  EXPECT_EQ(answer.fields.at("x-request-id"), "mine");
  EXPECT_EQ(answer.fields.at("x-lmb-worker"), "w1");
  EXPECT_EQ(answer.fields.at("content-length"), "2");
  EXPECT_EQ(answer.fields.count("date"), 1U);
  for (const auto* name :
       {"x-powered-by", "server", "set-cookie", "x-listed", "keep-alive", "connection"}) {
    EXPECT_EQ(answer.fields.count(name), 0U) << name;
  }
}

TEST(Forwarding, a_whole_exchange_runs_over_ipv6) {
  CannedWorker worker(plain_answer, "::1");
  auto options = only(worker);
  options.adjust = [adjust = options.adjust](config::Config& config) {
    adjust(config);
    config.addresses[0].host = "::1";
    config.net.listen = {{"127.0.0.1", 0}, {"::1", 0}};
  };
  Daemon daemon(options);
  const auto endpoint = daemon.server().endpoints().at(1);
  ASSERT_TRUE(endpoint.address().is_v6());
  RawClient client(endpoint);
  for (int i = 1; i <= 2; ++i) {
    client.send(post("/v1/chat/completions", chat(false)));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.status, 200U) << answer.body;
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(worker.asked(), i);
  }
  const auto seen = worker.last_request();
  EXPECT_EQ(seen.field("host"), "[::1]:" + std::to_string(worker.port()));
  EXPECT_EQ(seen.field("x-forwarded-for"), "::1") << "this field has addresses without brackets";
}

TEST(Forwarding, a_client_of_the_older_family_keeps_its_usual_address_on_a_listener_for_both) {
  CannedWorker worker(plain_answer);
  auto options = only(worker);
  options.adjust = [adjust = options.adjust](config::Config& config) {
    adjust(config);
    config.net.listen = {{"::", 0}};
  };
  Daemon daemon(options);
  const auto port = daemon.server().endpoints().at(0).port();
  RawClient client(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  client.send(post("/v1/chat/completions", chat(false)));
  ASSERT_EQ(client.read_answer().status, 200U);
  EXPECT_EQ(worker.last_request().field("x-forwarded-for"), "127.0.0.1");
}

TEST(Forwarding, a_request_for_one_of_several_instances_names_it_and_is_else_as_it_was) {
  CannedWorker worker(plain_answer, "127.0.0.1",
                      CannedWorker::list_of_instances({R"(one \"quoted\" name)", "two"}));
  Daemon daemon(only(worker));
  const std::string before = R"({ "messages" : [{"role":"user","content":"\u0041\n\"model\":"}],)"
                             R"("temperature":1e0 , "model" :  )";
  const std::string after = " ,\"stream\":false, \"x\":[ ] }\n";
  std::set<std::string> named;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ask(daemon, before + "\"qwen\\/qwen3-30b-a3b\"" + after, "").status, 200U);
    const auto body = worker.last_request().body;
    ASSERT_TRUE(body.starts_with(before)) << body;
    ASSERT_TRUE(body.ends_with(after)) << body;
    named.insert(body.substr(before.size(), body.size() - before.size() - after.size()));
  }
  EXPECT_FALSE(named.empty());
  for (const auto& name : named) {
    EXPECT_TRUE(name == R"("one \"quoted\" name")" || name == R"("two")") << name;
  }
}

TEST(Forwarding, a_request_for_the_only_instance_is_left_as_it_was) {
  CannedWorker worker(plain_answer);
  Daemon daemon(only(worker));
  const auto body = chat(false);
  EXPECT_EQ(ask(daemon, body, "").status, 200U);
  EXPECT_EQ(worker.last_request().body, body);
}

}  // namespace
}  // namespace lmb::test
