#include "reload_page.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace lmb::admin {
namespace {

using nlohmann::json;
using Result = ReloadReport::Result;

TEST(ReloadPage, tells_what_changed) {
  ReloadReport report;
  report.added = {"a"};
  report.changed = {"b", "c"};
  report.restart_needed = {"listen"};
  const auto answer = reload_answer(report);
  EXPECT_EQ(answer.status, 200U);
  const json expected{{"added", {"a"}},
                      {"removed", json::array()},
                      {"changed", {"b", "c"}},
                      {"restart_needed", {"listen"}}};
  EXPECT_EQ(json::parse(answer.body), expected);
}

TEST(ReloadPage, tells_every_problem_of_the_file) {
  ReloadReport report;
  report.result = Result::refused;
  report.problems = {{"workers[0].url", "missing"}, {"", "no \"JSON\""}};
  const auto answer = reload_answer(report);
  EXPECT_EQ(answer.status, 400U);
  const auto error = json::parse(answer.body).at("error");
  EXPECT_EQ(error.at("code"), "config_invalid");
  EXPECT_EQ(error.at("problems"), (json{{{"path", "workers[0].url"}, {"message", "missing"}},
                                        {{"path", ""}, {"message", "no \"JSON\""}}}));
}

TEST(ReloadPage, tells_why_nothing_was_begun) {
  const std::vector<std::tuple<Result, unsigned, std::string>> cases{
      {Result::no_file, 409, "no_config_file"},
      {Result::busy, 409, "reload_busy"},
      {Result::ending, 503, "shutting_down"}};
  for (const auto& [result, status, code] : cases) {
    ReloadReport report;
    report.result = result;
    const auto answer = reload_answer(report);
    EXPECT_EQ(answer.status, status) << code;
    EXPECT_EQ(json::parse(answer.body).at("error").at("code"), code);
  }
}

}  // namespace
}  // namespace lmb::admin
