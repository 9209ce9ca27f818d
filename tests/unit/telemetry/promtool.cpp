#include "promtool.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

namespace lmb::telemetry {
namespace {

PromtoolOutcome run(const std::string& arguments, std::string_view input, bool on_stdin) {
  std::string path = testing::TempDir() + "promtool_XXXXXX";
  const int file = ::mkstemp(path.data());
  EXPECT_GE(file, 0);
  EXPECT_EQ(::write(file, input.data(), input.size()), static_cast<ssize_t>(input.size()));
  ::close(file);

  const std::string command =
      "promtool " + arguments + (on_stdin ? " < '" : " '") + path + "' 2>&1";
  PromtoolOutcome outcome;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), got);
  }
  outcome.exit_code = WEXITSTATUS(::pclose(pipe));
  if (outcome.exit_code == 127) {
    outcome.output +=
        "\npromtool is missing: install the package `prometheus` "
        "(apt-get install prometheus; brew install prometheus)";
  }
  std::filesystem::remove(path);
  return outcome;
}

}  // namespace

PromtoolOutcome promtool_check_metrics(std::string_view scrape) {
  return run("check metrics", scrape, true);
}

PromtoolOutcome promtool_check_rules(std::string_view rules) {
  return run("check rules", rules, false);
}

}  // namespace lmb::telemetry
