#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

using namespace std::chrono_literals;

const char* studio_environment(const char* name) {
  return std::strcmp(name, "STUDIO_KEY") == 0 ? "sk-lm-abc:def" : nullptr;
}

Config good(std::string_view text, Environment environment = no_environment) {
  auto parsed = parse_config(text, environment);
  EXPECT_TRUE(parsed.ok()) << describe(parsed.problems, "config");
  return std::move(parsed.config);
}

TEST(ParseConfig, fills_every_kind_of_worker_key) {
  const auto config = good(R"({ "workers": [
    {"url": "http://Mac-Studio-05.local"},
    {"name": "b", "url": "http://10.0.0.5:99/", "slots": 7, "max_in_flight": 9, "weight": 3,
     "api_key": "sk-plain"},
    {"url": "http://[::1]:5", "slots": "auto", "api_key_env": "STUDIO_KEY"} ] })",
                           studio_environment);
  ASSERT_EQ(config.fleet.size(), 3U);
  ASSERT_EQ(config.addresses.size(), 3U);
  EXPECT_EQ(config.fleet[0].name, "mac-studio-05.local:1234");
  EXPECT_EQ(config.fleet[0].slots, std::nullopt);
  EXPECT_EQ(config.fleet[0].max_in_flight, std::nullopt);
  EXPECT_EQ(config.fleet[0].weight, 1U);
  EXPECT_EQ(config.addresses[0].name, "mac-studio-05.local:1234");
  EXPECT_EQ(config.addresses[0].host, "mac-studio-05.local");
  EXPECT_EQ(config.addresses[0].port, 1234);
  EXPECT_EQ(config.addresses[0].api_key, "");
  EXPECT_EQ(config.fleet[1].name, "b");
  EXPECT_EQ(config.addresses[1].name, "b");
  EXPECT_EQ(config.fleet[1].slots, 7U);
  EXPECT_EQ(config.fleet[1].max_in_flight, 9U);
  EXPECT_EQ(config.fleet[1].weight, 3U);
  EXPECT_EQ(config.addresses[1].host, "10.0.0.5");
  EXPECT_EQ(config.addresses[1].port, 99);
  EXPECT_EQ(config.addresses[1].api_key, "sk-plain");
  EXPECT_EQ(config.fleet[2].name, "[::1]:5");
  EXPECT_EQ(config.fleet[2].slots, std::nullopt);
  EXPECT_EQ(config.addresses[2].host, "::1");
  EXPECT_EQ(config.addresses[2].api_key, "sk-lm-abc:def");
}

TEST(ParseConfig, takes_an_admin_listener_or_none) {
  const std::string workers = R"("workers": [{"url": "http://mac"}])";
  using Addresses = std::vector<net::ListenAddress>;
  EXPECT_EQ(good("{" + workers + "}").admin.listen, (Addresses{{"127.0.0.1", 8081}}));
  EXPECT_EQ(good("{" + workers + R"(, "admin": {"listen": []}})").admin.listen, Addresses{});
  const auto keyed = good("{" + workers + R"(, "admin": {"listen": "*:0", "api_key": "k3y"}})");
  EXPECT_EQ(keyed.admin.listen, (Addresses{{"0.0.0.0", 0}, {"::", 0}}));
  EXPECT_EQ(keyed.admin.api_key, "k3y");
  EXPECT_EQ(keyed.addresses.at(0).api_key, "") << "it is no worker's";
}

TEST(ParseConfig, takes_one_listen_address_or_several) {
  using Addresses = std::vector<net::ListenAddress>;
  const std::string workers = R"("workers": [{"url": "http://mac"}])";
  EXPECT_EQ(good("{" + workers + R"(, "listen": "*:80"})").net.listen,
            (Addresses{{"0.0.0.0", 80}, {"::", 80}}));
  EXPECT_EQ(good("{" + workers + R"(, "listen": ["localhost:80", "10.0.0.1:80"]})").net.listen,
            (Addresses{{"127.0.0.1", 80}, {"::1", 80}, {"10.0.0.1", 80}}));
  EXPECT_EQ(good("{" + workers + R"(, "listen": ["127.0.0.1:0", "127.0.0.1:0"]})").net.listen,
            (Addresses{{"127.0.0.1", 0}, {"127.0.0.1", 0}}));
  EXPECT_EQ(good("{" + workers + "}").net.listen, (Addresses{{"127.0.0.1", 8080}, {"::1", 8080}}));
}

TEST(ParseConfig, reads_durations_sizes_levels_and_paths) {
  const auto config = good(R"({ "workers": [{"url": "http://mac"}],
    "client_half_close": "keep",
    "queue": {"max_wait": "1m30s", "max_wait_stream": "0s"},
    "limits": {"body_bytes": 5000, "held_answer": "3KiB"},
    "telemetry": {"log_level": "warn", "access_log": "/var/log/lmb access.json"} })");
  EXPECT_EQ(config.proxy.queue.other, 90s);
  EXPECT_EQ(config.proxy.queue.stream, 0s);
  EXPECT_EQ(config.proxy.limits.body_bytes, 5000U);
  EXPECT_EQ(config.proxy.limits.held_answer, 3072U);
  EXPECT_EQ(config.telemetry.log_level, telemetry::LogLevel::warn);
  EXPECT_EQ(config.proxy.client_half_close, net::HalfClose::keep);
  EXPECT_EQ(config.telemetry.access_log, "/var/log/lmb access.json");
}

TEST(ParseConfig, reads_keys_of_clients_and_networks) {
  const auto parsed =
      parse_config(R"({"workers": [{"url": "http://mac"}],
    "auth": {"keys": {"alice": {"env": "ALICE_KEY"}, "ci@office": "sk-1"},
             "trusted_proxies": ["10.0.0.5", "fd00::/8"]}})",
                   [](const char* name) -> const char* {
                     return std::string_view(name) == "ALICE_KEY" ? "sk-2" : nullptr;
                   });
  ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, "F");
  const auto& auth = parsed.config.proxy.auth;
  ASSERT_EQ(auth.keys.size(), 2U);
  EXPECT_EQ(auth.keys[0].name, "alice");
  EXPECT_EQ(auth.keys[0].secret, "sk-2");
  EXPECT_EQ(auth.keys[1].name, "ci@office");
  EXPECT_EQ(auth.keys[1].secret, "sk-1");
  ASSERT_EQ(auth.trusted_proxies.size(), 2U);
  EXPECT_EQ(auth.trusted_proxies[0].text(), "10.0.0.5/32");
  EXPECT_EQ(auth.trusted_proxies[1].text(), "fd00::/8");
}

TEST(ParseConfig, reads_aliases_fallbacks_and_flags) {
  const auto config = good(R"({ "workers": [{"url": "http://mac", "auto_evict": false}],
    "models": {"aliases": {"gpt-4o": "qwen/qwen3", "fast": "m"},
               "fallbacks": {"a": "b", "c": ["d", "e"]}, "switch_after": "0s"} })");
  EXPECT_FALSE(config.fleet.at(0).auto_evict);
  const auto& models = config.scheduling.models;
  EXPECT_EQ(models.switch_after, 0s);
  ASSERT_EQ(models.aliases.size(), 2U);
  EXPECT_EQ(models.aliases[0].name, "gpt-4o");
  EXPECT_EQ(models.aliases[0].model, "qwen/qwen3");
  EXPECT_EQ(models.aliases[1].name, "fast");
  ASSERT_EQ(models.fallbacks.size(), 2U);
  EXPECT_EQ(models.fallbacks[0].model, "a");
  EXPECT_EQ(models.fallbacks[0].instead, std::vector<std::string>{"b"});
  EXPECT_EQ(models.fallbacks[1].instead, (std::vector<std::string>{"d", "e"}));
}

TEST(ParseConfig, takes_related_limits_that_are_raised_together) {
  const auto config = good(R"({ "workers": [{"url": "http://mac"}],
    "limits": {"body_bytes": "2GiB", "body_memory": "2GiB"},
    "health": {"timeout": "10s", "interval": "11s"} })");
  EXPECT_EQ(config.proxy.limits.body_bytes, config.proxy.limits.body_memory);
}

TEST(ParseConfig, takes_as_many_workers_as_a_fleet_can_have) {
  std::string workers;
  for (int i = 1; i <= 64; ++i) {
    workers +=
        (i == 1 ? "" : ",") + std::string(R"({"url": "http://m)") + std::to_string(i) + "\"}";
  }
  EXPECT_EQ(good(R"({"workers": [)" + workers + "]}").fleet.size(), 64U);
}

TEST(ParseConfig, tolerates_a_byte_order_mark_comments_and_the_schema_key) {
  EXPECT_EQ(good("\xEF\xBB\xBF// fleet\n{\"$schema\": \"x.json\", /* one */ \"workers\": "
                 "[{\"url\": \"http://mac\"}]}\n")
                .fleet.size(),
            1U);
}

}  // namespace
}  // namespace lmb::config
