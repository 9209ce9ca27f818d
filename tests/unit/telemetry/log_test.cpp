#include "lmb/telemetry/log.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace lmb::telemetry {
namespace {

std::string stderr_of(const std::function<void()>& action) {
  testing::internal::CaptureStderr();
  action();
  return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
 protected:
  void TearDown() override { set_log_level(LogLevel::info); }
};

/// `text` with every digit of its first 24 characters, the time, replaced by "d".
std::string masked_time(std::string text) {
  for (std::size_t i = 0; i < text.size() && i < 24; ++i) {
    if (text[i] >= '0' && text[i] <= '9') text[i] = 'd';
  }
  return text;
}

TEST_F(Log, writes_utc_time_level_and_message_on_one_line) {
  EXPECT_EQ(masked_time(stderr_of([] { log(LogLevel::info, "worker is up: mac-studio-05"); })),
            "dddd-dd-ddTdd:dd:dd.dddZ info worker is up: mac-studio-05\n");
}

TEST_F(Log, time_is_utc_wherever_the_machine_stands) {
  const char* const zone = std::getenv("TZ");
  const std::string before = zone == nullptr ? "" : zone;
  ASSERT_EQ(::setenv("TZ", "XYZ-14", 1), 0);  // 14 hours ahead, without a zone database
  ::tzset();
  const std::string text = stderr_of([] { log(LogLevel::info, "x"); });
  if (zone == nullptr) {
    ::unsetenv("TZ");
  } else {
    ::setenv("TZ", before.c_str(), 1);
  }
  ::tzset();

  std::tm parsed{};
  ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parsed), nullptr) << text;
  const std::time_t logged = ::timegm(&parsed);
  // Hours, for time() lags behind the clock that the log reads, and a clock may be set meanwhile.
  // lmb-tidy: allow real_clock (the log stamps its lines with the real time)
  EXPECT_LT(std::abs(std::difftime(logged, std::time(nullptr))), 3'600);
}

TEST_F(Log, a_value_cannot_forge_a_line_or_drive_the_terminal) {
  const std::string text = stderr_of([] {
    log(LogLevel::error, std::string_view("bad {} name: a\nb\r\x1b[2J\0\x7f\xC2\x9B\xFF {0}", 28));
  });
  EXPECT_EQ(text.substr(text.find(' ')),
            " error bad {} name: a\\nb\\x0d\\x1b[2J\\x00\\x7f\\xc2\\x9b\\xff {\n");
}

TEST_F(Log, keeps_text_of_other_languages) {
  const std::string text = stderr_of([] {
    log(LogLevel::warn,
        "K\xC3\xBC"
        "che \xF0\x9F\x98\x80");
  });
  EXPECT_NE(text.find("warning K\xC3\xBC"
                      "che \xF0\x9F\x98\x80\n"),
            std::string::npos)
      << text;
}

TEST_F(Log, drops_messages_below_its_level) {
  EXPECT_FALSE(log_enabled(LogLevel::debug));
  EXPECT_TRUE(log_enabled(LogLevel::info));
  EXPECT_EQ(stderr_of([] { log(LogLevel::debug, "unseen"); }), "");
  set_log_level(LogLevel::error);
  EXPECT_FALSE(log_enabled(LogLevel::warn));
  EXPECT_EQ(stderr_of([] { log(LogLevel::warn, "unseen"); }), "");
  set_log_level(LogLevel::debug);
  EXPECT_NE(stderr_of([] { log(LogLevel::debug, "seen"); }).find(" debug seen\n"),
            std::string::npos);
}

TEST_F(Log, lines_of_several_threads_stay_whole) {
  constexpr int lines_per_thread = 200;
  const std::string text = stderr_of([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int line = 0; line < lines_per_thread; ++line) log(LogLevel::info, "0123456789 end");
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(masked_time(line), "dddd-dd-ddTdd:dd:dd.dddZ info 0123456789 end");
  }
  EXPECT_EQ(count, 4 * lines_per_thread);
}

}  // namespace
}  // namespace lmb::telemetry
