#include "lmb/config/changes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lmb::config {
namespace {

using std::chrono_literals::operator""s;

const char* no_environment(const char*) {
  return nullptr;
}

Config parsed(const std::string& text) {
  auto result = parse_config(text, no_environment);
  EXPECT_TRUE(result.ok()) << describe(result.problems, "text");
  return std::move(result.config);
}

const std::string two = R"({"workers": [
  {"name": "a", "url": "http://10.0.0.1"}, {"name": "b", "url": "http://10.0.0.2", "slots": 2}]})";

TEST(FleetChanges, of_the_same_file_are_none) {
  EXPECT_EQ(compare_fleets(parsed(two), parsed(two)), FleetChanges{});
}

TEST(FleetChanges, do_not_depend_on_the_order_of_the_workers) {
  const auto turned = parsed(R"({"workers": [
    {"name": "b", "url": "http://10.0.0.2", "slots": 2}, {"name": "a", "url": "http://10.0.0.1"}]})");
  EXPECT_EQ(compare_fleets(parsed(two), turned), FleetChanges{});
}

TEST(FleetChanges, tell_who_came_and_who_went) {
  const auto newer = parsed(R"({"workers": [
    {"name": "c", "url": "http://10.0.0.3"}, {"name": "b", "url": "http://10.0.0.2", "slots": 2}]})");
  const auto changes = compare_fleets(parsed(two), newer);
  EXPECT_EQ(changes, (FleetChanges{.added = {0}, .removed = {0}, .moved = {}, .changed = {}}));
}

TEST(FleetChanges, tell_a_move_from_a_change) {
  const auto newer = parsed(R"({"workers": [
    {"name": "a", "url": "http://10.0.0.1:1235", "weight": 2},
    {"name": "b", "url": "http://10.0.0.2"}]})");
  const auto changes = compare_fleets(parsed(two), newer);
  EXPECT_EQ(changes, (FleetChanges{.added = {}, .removed = {}, .moved = {0}, .changed = {1}}));
}

TEST(FleetChanges, a_new_key_is_a_change) {
  const auto newer = parsed(R"({"workers": [
    {"name": "a", "url": "http://10.0.0.1", "api_key": "k"},
    {"name": "b", "url": "http://10.0.0.2", "slots": 2}]})");
  EXPECT_EQ(compare_fleets(parsed(two), newer).changed, std::vector<std::size_t>{0});
}

TEST(RestartKeys, are_those_that_differ_beyond_workers_and_log_level) {
  const auto newer = parsed(R"({
    "listen": "127.0.0.1:9090", "threads": 3,
    "admin": {"api_key": "secret"},
    "queue": {"length": 5}, "timeouts": {"connect": "3s"},
    "models": {"aliases": {"fast": "m"}},
    "telemetry": {"log_level": "debug", "access_log": "-"},
    "workers": [{"url": "http://10.0.0.9"}]})");
  const std::vector<std::string> expected{
      "listen",       "threads",          "admin.api_key",       "models.aliases",
      "queue.length", "timeouts.connect", "telemetry.access_log"};
  EXPECT_EQ(restart_keys(parsed(two), newer), expected);
}

TEST(RestartKeys, are_none_when_only_the_spelling_differs) {
  const auto one_way =
      parsed(R"({"timeouts": {"connect": "2s"}, "workers": [{"url": "http://a"}]})");
  const auto other =
      parsed(R"({"workers": [{"url": "http://b"}], "timeouts": {"connect": "2000ms"}})");
  EXPECT_TRUE(restart_keys(one_way, other).empty());
}

}  // namespace
}  // namespace lmb::config
