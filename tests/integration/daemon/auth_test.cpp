// Who sends a request, and who may.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using nlohmann::json;

DaemonOptions with_keys() {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [](config::Config& config) {
    config.proxy.auth.keys = {{"alice", "sk-alice", ""}, {"bob", "sk-bob", ""}};
  };
  return options;
}

const std::string alice = "Authorization: Bearer sk-alice\r\n";
const std::string mallory = "Authorization: Bearer sk-mallory\r\n";

TEST(Auth, a_request_needs_a_key_that_is_known) {
  Daemon daemon(with_keys());
  for (const auto& request :
       {post("/v1/chat/completions", chat(true)), post("/v1/chat/completions", chat(true), mallory),
        get("/v1/models"), get("/api/v0/models", mallory)}) {
    RawClient client(daemon.port());
    client.send(request);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 401U) << request;
    EXPECT_EQ(json::parse(answer.body)["error"]["code"], "invalid_api_key");
    EXPECT_EQ(answer.fields.at("www-authenticate"), "Bearer");
    EXPECT_EQ(answer.body.find("mallory"), std::string::npos);
  }
  EXPECT_EQ(daemon.metric("lmbalancer_errors_total{kind=\"unauthorized\"}"), 4);
  RawClient client(daemon.port());
  for (const auto& request :
       {get("/healthz"), get("/readyz"), get("/metrics"), get("/v1/models", alice),
        post("/v1/chat/completions", chat(true), alice),
        post("/v1/chat/completions", chat(false), "x-api-key: sk-bob\r\n")}) {
    client.send(request);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U) << request << answer.body;
  }
}

TEST(Auth, each_request_of_a_connection_is_judged_for_itself) {
  Daemon daemon(with_keys());
  RawClient client(daemon.port());
  client.send(get("/v1/models", alice) + get("/v1/models") + get("/v1/models", alice) +
              get("/v1/models", mallory));
  for (const unsigned status : {200U, 401U, 200U, 401U}) {
    EXPECT_EQ(client.read_answer().status, status);
  }
}

TEST(Auth, a_refused_request_with_a_body_never_becomes_two) {
  Daemon daemon(with_keys());
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", get("/v1/models", alice), mallory));
  EXPECT_EQ(client.read_answer().status, 401U);
  EXPECT_TRUE(client.at_end());
}

TEST(Auth, operators_see_names_and_no_keys) {
  auto options = with_keys();
  options.speed = 1;
  Daemon daemon(options);
  RawClient client(daemon.port());
  client.send(post("/v1/chat/completions", chat(true, 1000), alice));
  client.read_some(1);
  RawClient admin(daemon.admin_port());
  admin.send("GET /admin/requests HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto page = admin.read_answer().body;
  EXPECT_EQ(json::parse(page)["requests"][0]["client"], "alice") << page;
  EXPECT_EQ(page.find("sk-alice"), std::string::npos);
  client.reset();
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
}

}  // namespace
}  // namespace lmb::test
