#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

std::string scratch_file(const std::string& content) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  auto path = testing::TempDir() + "config_test_" + test->name() + ".jsonc";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(LoadConfig, reads_a_file) {
  const auto path = scratch_file(R"({"workers": [{"url": "http://mac"}]})");
  const auto parsed = load_config(path, no_environment);
  std::remove(path.c_str());
  ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, path);
  EXPECT_EQ(parsed.config.fleet.size(), 1U);
}

TEST(LoadConfig, says_why_a_file_cannot_be_read) {
  const auto missing = testing::TempDir() + "no/such/file.jsonc";
  auto parsed = load_config(missing, no_environment);
  EXPECT_EQ(describe(parsed.problems, missing),
            missing + ": cannot be opened: No such file or directory\n");
  parsed = load_config(testing::TempDir(), no_environment);
  EXPECT_EQ(describe(parsed.problems, "DIR"), "DIR: cannot be read: Is a directory\n");
}

TEST(LoadConfig, refuses_a_file_that_is_too_large_for_a_config) {
  const auto valid = std::string(R"({"workers": [{"url": "http://mac"}]})");
  const auto padding = std::string(1024 * 1024 - valid.size(), ' ');
  const auto path = scratch_file(valid + padding);
  EXPECT_TRUE(load_config(path, no_environment).ok());
  std::ofstream(path, std::ios::app) << ' ';
  const auto parsed = load_config(path, no_environment);
  std::remove(path.c_str());
  EXPECT_EQ(describe(parsed.problems, "F"), "F: larger than 1 MiB: this is no config file\n");
}

TEST(Describe, writes_one_line_for_each_problem) {
  EXPECT_EQ(describe({{"a.b", "wrong"}, {"", "empty"}}, "x.jsonc"),
            "x.jsonc: a.b: wrong\nx.jsonc: empty\n");
  EXPECT_EQ(describe({}, "x.jsonc"), "");
}

}  // namespace
}  // namespace lmb::config
