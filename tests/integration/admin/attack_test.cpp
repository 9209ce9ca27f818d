// What pages in an operator's browser, and strangers, must not be able to do.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "admin_client.hpp"

namespace lmb::test {
namespace {

DaemonOptions one_worker(const std::string& key = {}) {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [key](config::Config& config) { config.admin.api_key = key; };
  return options;
}

bool is_draining(Daemon& daemon) {
  return daemon.server().fleet().workers.at(0).draining;
}

TEST(AdminAttack, a_page_by_a_name_of_its_own_reads_and_changes_nothing) {
  Daemon daemon(one_worker());
  for (const auto* path : {"/admin/status", "/admin/requests", "/metrics", "/healthz"}) {
    const auto answer = ask_admin(daemon, std::string("GET ") + path, "Host: rebound.example\r\n");
    EXPECT_EQ(answer.status, 403U) << path;
    EXPECT_EQ(nlohmann::json::parse(answer.body).at("error").at("code"), "host_not_allowed");
  }
  const auto posted = ask_admin(daemon, "POST /admin/workers/w1/drain",
                                "Host: rebound.example\r\nContent-Type: application/json\r\n"
                                "Content-Length: 0\r\n");
  EXPECT_EQ(posted.status, 403U);
  EXPECT_EQ(ask_admin(daemon, "GET /admin/status", "Host: localhost\r\nHost: x\r\n").status, 400U);
  EXPECT_EQ(ask_admin(daemon, "GET http://rebound.example/admin/status", safe_host).status, 404U);
  EXPECT_FALSE(is_draining(daemon));
}

TEST(AdminAttack, a_form_on_any_page_changes_nothing) {
  Daemon daemon(one_worker());
  for (const std::string type : {"", "Content-Type: text/plain\r\n",
                                 "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    const auto answer =
        ask_admin(daemon, "POST /admin/workers/w1/drain",
                  safe_host + type + "Origin: http://evil\r\nContent-Length: 0\r\n");
    EXPECT_EQ(answer.status, 415U) << type;
  }
  EXPECT_EQ(ask_admin(daemon, "GET /admin/workers/w1/drain", safe_host).status, 405U);
  EXPECT_FALSE(is_draining(daemon));
}

TEST(AdminAttack, a_body_may_be_as_long_as_its_limit_and_no_longer) {
  auto options = one_worker();
  options.adjust = [](config::Config& config) { config.admin.body_bytes_max = 2048; };
  Daemon daemon(options);
  for (const std::size_t size : {2048U, 2049U}) {
    const auto answer = ask_admin(daemon, "POST /admin/workers/w1/drain",
                                  std::string(safe_host) + "Content-Type: application/json\r\n" +
                                      "Content-Length: " + std::to_string(size) + "\r\n",
                                  std::string(size, ' '));
    EXPECT_EQ(answer.status, size == 2048U ? 200U : 413U);
    EXPECT_EQ(nlohmann::json::parse(answer.body).contains("error"), size > 2048U) << answer.body;
    EXPECT_EQ(daemon.metric(R"(lmbalancer_limit_hits_total{limit="limits.admin_body_bytes"})"),
              size == 2048U ? 0 : 1);
  }
}

TEST(AdminAttack, connections_beyond_the_limit_are_told_so) {
  auto options = one_worker();
  options.adjust = [](config::Config& config) { config.admin.connections_max = 2; };
  Daemon daemon(options);
  const RawClient first(daemon.admin_port());
  RawClient second(daemon.admin_port());
  second.send("GET /admin/status HTTP/1.1\r\n" + std::string(safe_host) + "\r\n");
  EXPECT_EQ(second.read_answer().status, 200U);
  RawClient third(daemon.admin_port());
  const auto refused = third.read_answer();
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(nlohmann::json::parse(refused.body).contains("error")) << refused.body;
  EXPECT_TRUE(third.at_end());
  EXPECT_EQ(daemon.metric(R"(lmbalancer_limit_hits_total{limit="limits.admin_connections"})"), 1);
}

TEST(AdminAttack, what_cannot_be_read_is_refused_in_the_same_form_and_closed) {
  Daemon daemon(one_worker());
  const std::vector<std::pair<std::string, unsigned>> hostile{
      {"GET /admin/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"GET /admin/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET /admin/status\r\n\r\n", 400},
      {"GET /admin/status HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x') + "\r\n",
       431}};
  for (const auto& [request, status] : hostile) {
    RawClient client(daemon.admin_port());
    client.send(request);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, status) << request.substr(0, 100);
    const auto error = nlohmann::json::parse(answer.body, nullptr, false);
    EXPECT_TRUE(error.contains("error") && error["error"].contains("code")) << answer.body;
    EXPECT_TRUE(client.at_end()) << request.substr(0, 100);
  }
}

TEST(AdminAttack, no_answer_lets_other_origins_read) {
  Daemon daemon(one_worker());
  for (const auto* request : {"GET /admin/status", "OPTIONS /admin/workers/w1/drain"}) {
    const auto answer = ask_admin(daemon, request,
                                  std::string(safe_host) +
                                      "Origin: http://evil\r\nAccess-Control-Request-Method: "
                                      "POST\r\nAccess-Control-Request-Headers: content-type\r\n");
    for (const auto& [name, value] : answer.fields) {
      EXPECT_FALSE(name.starts_with("access-control-")) << request << name << value;
    }
    EXPECT_EQ(answer.fields.at("cache-control"), "no-store");
  }
}

TEST(AdminAttack, with_a_key_set_nobody_looks_or_acts_without_it) {
  Daemon daemon(one_worker("s3cret"));
  const auto without = ask_admin(daemon, "GET /admin/workers", safe_host);
  EXPECT_EQ(without.status, 401U);
  EXPECT_EQ(without.fields.at("www-authenticate"), "Bearer");
  EXPECT_EQ(post_admin(daemon, "/admin/workers/w1/drain").status, 401U);
  EXPECT_EQ(ask_admin(daemon, "GET /metrics", safe_host).status, 200U);
  EXPECT_FALSE(is_draining(daemon));
  const auto with = ask_admin(daemon, "POST /admin/workers/w1/drain",
                              "Host: studio.example\r\nAuthorization: Bearer s3cret\r\n"
                              "Content-Length: 0\r\n");
  EXPECT_EQ(with.status, 200U) << with.body;
  EXPECT_TRUE(is_draining(daemon));
}

TEST(AdminAttack, the_client_listener_knows_no_admin_path) {
  Daemon daemon(one_worker());
  RawClient client(daemon.port());
  for (const auto* path : {"/admin/status", "/admin/workers/w1/drain", "/admin"}) {
    client.send(get(path));
    EXPECT_EQ(client.read_answer().status, 404U) << path;
  }
}

}  // namespace
}  // namespace lmb::test
