// lmbalancer status, drain, undrain and doctor.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config_file.hpp"
#include "served_fleet.hpp"

namespace lmb::test {
namespace {

struct Told {
  int code = -1;
  std::string text;
};

Told told_by(const std::vector<std::string>& words) {
  Program program(words);
  const auto code = program.wait_end();
  return {code.value_or(-1), program.output()};
}

/// "http://127.0.0.1:PORT" as the program told it.
std::string admin_url(ServedFleet& served) {
  const std::string before = "admin on ";
  EXPECT_TRUE(eventually([&] {
    const auto at = served.program().output().find(before);
    return at != std::string::npos && served.program().output().find('\n', at) != std::string::npos;
  })) << served.program().output();
  const auto at = served.program().output().find(before) + before.size();
  return served.program().output().substr(at, served.program().output().find('\n', at) - at);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Operator, sees_the_fleet_as_a_table_or_as_json) {
  ServedFleet served(50);
  const auto url = admin_url(served);
  const auto table = told_by({"status", "--admin", url});
  EXPECT_EQ(table.code, 0) << table.text;
  EXPECT_TRUE(has(table.text, "1 of 1 workers up, 0 of 2 slots busy, 0 waiting\n")) << table.text;
  EXPECT_TRUE(has(table.text, "\nw1      up     0/2         qwen/")) << table.text;
  const auto json = told_by({"status", "--json", "--admin", url});
  EXPECT_EQ(json.code, 0) << json.text;
  const auto parsed = nlohmann::json::parse(json.text);
  EXPECT_EQ(parsed.at("workers").at(0).at("name"), "w1");
  EXPECT_EQ(parsed.at("status").at("totals").at("workers"), 1);
  EXPECT_EQ(parsed.at("queue").at("waiting"), 0);
}

TEST(Operator, drains_a_worker_and_takes_it_back) {
  ServedFleet served(50);
  const auto url = admin_url(served);
  const auto drained = told_by({"drain", "w1", "--admin", url});
  EXPECT_EQ(drained.code, 0) << drained.text;
  EXPECT_TRUE(has(drained.text, "w1 gets nothing new and runs nothing\n")) << drained.text;
  EXPECT_EQ(served.get_once("/readyz").status, 503U);
  EXPECT_TRUE(has(told_by({"status", "--admin", url}).text, "drained")) << "status";
  EXPECT_EQ(told_by({"undrain", "w1", "--admin", url}).code, 0);
  EXPECT_EQ(served.get_once("/readyz").status, 200U);
}

TEST(Operator, is_told_of_an_unknown_worker_and_the_nearest) {
  ServedFleet served(50);
  const auto wrong = told_by({"drain", "w2", "--admin", admin_url(served)});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_TRUE(has(wrong.text, "no worker 'w2'; did you mean 'w1'?")) << wrong.text;
}

TEST(Operator, is_told_when_nobody_answers_or_the_address_is_none) {
  std::string url;
  {
    ServedFleet served(50);
    url = admin_url(served);
  }
  const auto away = told_by({"status", "--admin", url});
  EXPECT_EQ(away.code, 1);
  EXPECT_TRUE(has(away.text, "no answer from " + url + ": connect_failed")) << away.text;
  for (const std::string wrong : {"https://localhost:8081", "http://", "http://localhost:0"}) {
    const auto told = told_by({"status", "--admin", wrong});
    EXPECT_EQ(told.code, 2) << wrong << told.text;
    EXPECT_TRUE(has(told.text, "is no URL of an admin listener")) << told.text;
  }
  EXPECT_EQ(told_by({"drain"}).code, 2);
  EXPECT_EQ(told_by({"status", "-c", "/nonexistent.json"}).code, 2);
  EXPECT_EQ(told_by({"status", "--key-env", "LMB_TEST_NOT_SET_AT_ALL"}).code, 2);
}

TEST(Doctor, tells_a_usable_worker_from_one_that_is_away) {
  ServedFleet served(50);
  const auto examined = [](const std::string& url) {
    return R"({"workers": [{"name": "mac", "url": ")" + url + "\"}]}";
  };
  const ConfigFile good(examined(served.fleet().url(0)));
  const auto well = told_by({"doctor", "-c", good.name()});
  EXPECT_EQ(well.code, 0) << well.text;
  for (const auto* part : {"mac\n", "ok    connect", "ok    greeting  LM Studio", "ok    token",
                           "ok    models", "slots", "context", "1 of 1 workers can be used"}) {
    EXPECT_TRUE(has(well.text, part)) << part << " missing in\n" << well.text;
  }
  const ConfigFile away(examined("http://127.0.0.77:9"));
  const auto ill = told_by({"doctor", "-c", away.name()});
  EXPECT_EQ(ill.code, 1) << ill.text;
  EXPECT_TRUE(has(ill.text, "BAD   connect")) << ill.text;
  EXPECT_TRUE(has(ill.text, "Serve on Local Network")) << ill.text;
}

}  // namespace
}  // namespace lmb::test
