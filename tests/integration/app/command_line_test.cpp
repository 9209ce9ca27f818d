// The command line, by running the program.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

namespace lmb::app {
namespace {

struct Ended {
  int code = -1;
  std::string said;  ///< stdout and stderr.
};

Ended run(const std::string& words) {
  Ended ended;
  const std::string command = std::string("'") + LMB_PROGRAM + "' " + words + " 2>&1 </dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return ended;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 1; got > 0;) {
    got = std::fread(buffer.data(), 1, buffer.size(), pipe);
    ended.said.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  return ended;
}

void expect_refused(const std::string& words, const std::vector<std::string>& parts) {
  const auto ended = run(words);
  EXPECT_EQ(ended.code, 2) << words << "\n" << ended.said;
  for (const auto& part : parts) {
    EXPECT_NE(ended.said.find(part), std::string::npos) << part << " missing in\n" << ended.said;
  }
}

TEST(CommandLine, alone_shows_the_help_with_examples) {
  expect_refused("", {"Usage: lmbalancer", "Examples:\n", "lmbalancer demo", "Exit codes:"});
}

TEST(CommandLine, an_unknown_command_names_the_nearest_and_all) {
  expect_refused("serv -c x", {"lmbalancer: no command 'serv'; did you mean 'serve'?",
                               "serve, check, doctor, demo, sim, bench, status, drain, undrain",
                               "See lmbalancer --help."});
  expect_refused("foo", {"no command 'foo'; the commands are: serve, check"});
  expect_refused("foo demo", {"no command 'foo'"});
}

TEST(CommandLine, an_unknown_option_names_the_nearest) {
  expect_refused("demo --prot 9000", {"lmbalancer demo: no option '--prot'; did you mean '--port'?",
                                      "See lmbalancer demo --help."});
  expect_refused("bench --concurency=6", {"did you mean '--concurrency'?"});
  expect_refused("--verson", {"lmbalancer: no option '--verson'; did you mean '--version'?"});
  expect_refused("demo --zzzzzz", {"no option '--zzzzzz'\n"});
}

TEST(CommandLine, a_word_too_many_is_told) {
  expect_refused("check -c x y", {"lmbalancer check: 'y' is not expected here"});
}

TEST(CommandLine, a_missing_option_is_told) {
  expect_refused("serve", {"lmbalancer serve: --config is required"});
}

TEST(CommandLine, a_number_out_of_range_is_told_with_the_range) {
  for (const std::string words : {"demo --port 99999", "sim --port 70000", "demo --port x"}) {
    expect_refused(words, {"--port", "0", "65535"});
  }
  expect_refused("demo --workers 65", {"--workers", "1", "64"});
  expect_refused("sim --answer-tokens 0", {"--answer-tokens", "1", "1000000"});
  expect_refused("sim --parallel x", {"--parallel", "0", "1024"});
  expect_refused("sim --preset m9", {"unknown preset 'm9'; there are:"});
  expect_refused("bench --requests 0", {"--requests", "1", "1000000"});
  expect_refused("bench --concurrency 6,0", {"--concurrency", "1", "10000"});
  expect_refused("bench --timeout 5parsecs", {"--timeout", "parsecs"});
}

TEST(CommandLine, every_command_has_help_with_examples) {
  for (const std::string command : {"serve", "check", "demo", "sim", "bench", "status", "drain",
                                    "undrain", "reload", "doctor"}) {
    const auto ended = run(command + " --help");
    EXPECT_EQ(ended.code, 0) << command;
    EXPECT_NE(ended.said.find("Examples:\n  lmbalancer " + command), std::string::npos)
        << ended.said;
  }
}

TEST(CommandLine, the_version_is_told) {
  const auto ended = run("--version");
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(ended.said.starts_with("lmbalancer ")) << ended.said;
}

TEST(CommandLine, a_config_that_is_not_there_fails) {
  const auto ended = run("check -c /nonexistent/lmbalancer.json");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.said.find("/nonexistent/lmbalancer.json"), std::string::npos) << ended.said;
}

/// "12.345 ms" as microseconds, -1 when there is none.
long microseconds_of(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  std::string number;
  std::string unit;
  if (!(words >> name >> number >> unit) || unit != "ms") return -1;
  number.erase(number.find('.'), 1);
  return std::stol(number);
}

TEST(Demo, the_times_it_shows_add_up_to_the_total) {
  const auto ended = run("demo --port 0 --workers 1 --speed 50 --once");
  ASSERT_EQ(ended.code, 0) << ended.said;
  std::istringstream lines(ended.said.substr(ended.said.find("where the time went\n") + 20));
  long sum = 0;
  long total = -1;
  int parts = 0;
  for (std::string line; total < 0 && std::getline(lines, line);) {
    const long spent = microseconds_of(line);
    ASSERT_GE(spent, 0) << line;
    if (line.find(" total ") != std::string::npos) {
      total = spent;
    } else {
      sum += spent;
      ++parts;
    }
  }
  EXPECT_EQ(parts, 8) << ended.said;
  EXPECT_EQ(sum, total) << ended.said;
  EXPECT_GT(total, 1000) << "120 tokens at 50 times the speed take longer";
}

}  // namespace
}  // namespace lmb::app
