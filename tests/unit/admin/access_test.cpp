#include "access.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lmb::admin {
namespace {

http::Request request(std::string method, std::string target, http::Fields fields) {
  http::Request made;
  made.method = std::move(method);
  made.target = std::move(target);
  made.fields = std::move(fields);
  return made;
}

unsigned status_of(const http::Request& asked, std::string_view key = {}) {
  const auto refused = refuse(asked, find_route(asked.path()).call, key);
  return refused ? refused->status : 0;
}

TEST(SafeHost, is_localhost_or_an_ip_literal) {
  for (const auto* host : {"localhost", "LocalHost:8081", "127.0.0.1", "127.0.0.1:8081", "[::1]",
                           "[::1]:8081", "10.0.0.2:1", "[fd00::5]:65535", "localhost:"}) {
    EXPECT_TRUE(is_safe_host(host)) << host;
  }
}

TEST(SafeHost, is_no_name_that_somebody_else_may_point_here) {
  for (const auto* host : {"",
                           "evil.example",
                           "evil.example:8081",
                           "localhost.evil.example",
                           "127.0.0.1.evil.example",
                           "evil.example:8081@localhost",
                           "localhost@evil.example",
                           "[::1].evil.example",
                           "[::1",
                           "[evil]",
                           "::1",
                           "0x7f.1",
                           "127.1",
                           "2130706433",
                           "localhost:80:80",
                           "localhost:x",
                           "127.0.0.1:999999",
                           "local host",
                           "[]",
                           "[127.0.0.1]",
                           "user@127.0.0.1"}) {
    EXPECT_FALSE(is_safe_host(host)) << host;
  }
}

TEST(Access, needs_exactly_one_safe_host) {
  EXPECT_EQ(status_of(request("GET", "/admin/status", {{"Host", "localhost"}})), 0U);
  EXPECT_EQ(status_of(request("GET", "/admin/status", {})), 400U);
  EXPECT_EQ(status_of(request("GET", "/admin/status", {{"Host", "localhost"}, {"host", "evil"}})),
            400U);
  for (const auto* path : {"/admin/status", "/metrics", "/healthz", "/nothing"}) {
    EXPECT_EQ(status_of(request("GET", path, {{"Host", "evil.example"}})), 403U) << path;
  }
}

TEST(Access, changes_need_a_type_that_forms_cannot_send) {
  const auto post = [](http::Fields fields) {
    fields.emplace_back("Host", "localhost");
    return status_of(request("POST", "/admin/workers/w1/drain", std::move(fields)));
  };
  EXPECT_EQ(post({{"Content-Type", "application/json"}}), 0U);
  EXPECT_EQ(post({{"content-type", "Application/JSON ; charset=utf-8"}}), 0U);
  EXPECT_EQ(post({}), 415U);
  for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "text/plain; application/json", "application/json, text/plain",
                           "application/jsonp", "", ";application/json"}) {
    EXPECT_EQ(post({{"Content-Type", type}}), 415U) << type;
  }
  EXPECT_EQ(post({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}), 415U);
}

TEST(Access, methods_are_told_apart_from_paths) {
  const http::Fields fields{{"Host", "localhost"}, {"Content-Type", "application/json"}};
  EXPECT_EQ(status_of(request("GET", "/admin/workers/w1/drain", fields)), 405U);
  EXPECT_EQ(status_of(request("POST", "/admin/status", fields)), 405U);
  EXPECT_EQ(status_of(request("OPTIONS", "/admin/workers/w1/drain", fields)), 405U);
  EXPECT_EQ(status_of(request("DELETE", "/admin/workers/w1", fields)), 404U);
  EXPECT_EQ(status_of(request("HEAD", "/admin/status?x=1", fields)), 0U);
  const auto refused = refuse(request("GET", "/admin/reload", fields), Call::reload, "");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->fields, (http::Fields{{"Allow", "POST"}}));
  EXPECT_EQ(nlohmann::json::parse(refused->body).at("error").at("code"), "method_not_allowed");
}

TEST(Access, a_key_guards_everything_below_admin_and_stands_for_host_and_type) {
  const std::string key = "s3cret";
  const auto ask = [&key](const char* method, const char* path, const char* authorization) {
    http::Fields fields{{"Host", "studio.example"}};
    if (*authorization != 0) fields.emplace_back("Authorization", authorization);
    return status_of(request(method, path, std::move(fields)), key);
  };
  EXPECT_EQ(ask("GET", "/admin/status", "Bearer s3cret"), 0U);
  EXPECT_EQ(ask("POST", "/admin/reload", "bearer  s3cret "), 0U);
  for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cretx",
                            "Basic s3cret", "Bearer S3cret", "Bearer s3crets3cret", "s3cret"}) {
    EXPECT_EQ(ask("GET", "/admin/status", wrong), 401U) << wrong;
    EXPECT_EQ(ask("GET", "/metrics", wrong), 0U) << "scraped by name from another machine";
    const http::Fields local{{"Host", "localhost"}, {"Authorization", wrong}};
    for (const auto* path : {"/admin/status", "/admin", "/admin/", "/admin/nothing"}) {
      EXPECT_EQ(status_of(request("GET", path, local), key), 401U) << wrong << path;
    }
    EXPECT_EQ(status_of(request("GET", "/metrics", local), key), 0U) << wrong;
  }
}

TEST(Access, no_key_is_carried_where_none_is_set) {
  EXPECT_FALSE(carries_key(request("GET", "/", {{"Authorization", "Bearer "}}), ""));
  EXPECT_FALSE(carries_key(request("GET", "/", {{"Authorization", "Bearer x"}}), ""));
}

TEST(Route, takes_whole_paths_and_decoded_names) {
  EXPECT_EQ(find_route("/admin/status").call, Call::status);
  const auto drain = find_route("/admin/workers/%5B%3A%3A1%5D%3A1234/drain");
  EXPECT_EQ(drain.call, Call::drain);
  EXPECT_EQ(drain.worker, "[::1]:1234");
  EXPECT_EQ(find_route("/admin/workers/w1/undrain").call, Call::undrain);
  for (const auto* path :
       {"/", "/admin", "/admin/status/", "/Admin/status", "//admin/status", "/admin/workers/",
        "/admin/workers//drain", "/admin/workers/w1", "/admin/workers/w1/",
        "/admin/workers/w1/drain/", "/admin/workers/drain", "http://localhost/admin/status", "*"}) {
    EXPECT_EQ(find_route(path).call, Call::unknown) << path;
  }
}

}  // namespace
}  // namespace lmb::admin
