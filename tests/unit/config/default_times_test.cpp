// The times of the plan, written a second time: who changes a default changes what is promised.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "key.hpp"
#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

const std::map<std::string, std::string> times{
    {"timeouts.client_head", "10s"},  {"timeouts.client_body", "30s"},
    {"timeouts.keep_alive", "75s"},   {"timeouts.client_write", "1m"},
    {"timeouts.request", "30m"},      {"timeouts.connect", "2s"},
    {"timeouts.send", "30s"},         {"timeouts.pool_idle", "4s"},
    {"queue.max_wait", "4m"},         {"timeouts.shutdown_grace", "30s"},
    {"queue.max_wait_stream", "10m"}, {"queue.no_worker_grace", "5s"},
    {"startup_grace", "10s"},         {"health.interval", "5s"},
    {"health.timeout", "2s"},
};

TEST(DefaultTimes, are_those_of_the_plan) {
  Config defaults;
  for (const auto& [path, time] : times) {
    const auto* key = find_key(path);
    ASSERT_NE(key, nullptr) << path;
    EXPECT_EQ(value_in(*key, defaults), time) << path;
  }
  EXPECT_EQ(defaults.scheduling.health.failures_down, 3U);
  EXPECT_EQ(defaults.scheduling.health.successes_up, 2U);
}

TEST(DefaultTimes, leave_a_worker_its_silence) {
  // A long prompt is silent for minutes: neither an answer's head nor a stream has a time of its
  // own, so no other time-out exists.
  for (const auto& key : all_keys()) {
    if (!key.path.starts_with("timeouts.")) continue;
    EXPECT_TRUE(times.contains(std::string(key.path))) << key.path;
  }
}

}  // namespace
}  // namespace lmb::config
