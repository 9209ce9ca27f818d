#include "lmb/telemetry/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
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

/// Stderr as a pipe that its destructor takes back.
class PipedStderr {
 public:
  PipedStderr() : before_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~PipedStderr() {
    ::dup2(before_, STDERR_FILENO);
    for (const int descriptor : {before_, ends_[0], ends_[1]}) ::close(descriptor);
  }
  PipedStderr(const PipedStderr&) = delete;
  PipedStderr& operator=(const PipedStderr&) = delete;

  std::string read(std::size_t most) {
    std::string text(most, '\0');
    const auto count = ::read(ends_[0], text.data(), most);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0U);
    return text;
  }
  std::string read_all() {
    std::string text;
    for (std::string part = read(4096); !part.empty(); part = read(4096)) text += part;
    return text;
  }

 private:
  int before_;
  std::array<int, 2> ends_{};
};

TEST_F(Log, that_nobody_reads_drops_and_tells_how_much) {
  PipedStderr output;
  const auto before = log_messages_dropped();
  std::uint64_t written = 0;
  while (log_messages_dropped() == before) {
    log(LogLevel::info, "0123456789 end");
    ++written;
  }
  log(LogLevel::info, "0123456789 end");
  EXPECT_EQ(log_messages_dropped(), before + 2);
  std::istringstream lines(output.read_all());
  std::uint64_t read = 0;
  for (std::string line; std::getline(lines, line); ++read) {
    EXPECT_TRUE(line.ends_with(" info 0123456789 end")) << line;
  }
  EXPECT_EQ(read, written - 1);
  log(LogLevel::info, "read again");
  log(LogLevel::info, "and again");
  const auto text = output.read_all();
  EXPECT_NE(text.find(" warning messages missing here, for nobody read them: 2\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(" info read again\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("missing"), text.rfind("missing")) << text;
  EXPECT_EQ(log_messages_dropped(), before + 2);
}

TEST_F(Log, ends_the_line_of_a_message_of_which_only_a_part_found_room) {
  PipedStderr output;
  const auto before = log_messages_dropped();
  log(LogLevel::info, std::string(1'000'000, 'x'));
  EXPECT_EQ(log_messages_dropped(), before + 1);
  EXPECT_GE(output.read_all().size(), 4096U);
  log(LogLevel::info, "read again");
  const auto text = output.read_all();
  EXPECT_TRUE(text.starts_with('\n')) << text;
  EXPECT_NE(text.find("nobody read them: 1\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(" info read again\n")) << text;
}

TEST_F(Log, writes_long_messages_whole_when_they_are_read) {
  const std::string long_text(20'000, 'x');
  EXPECT_NE(stderr_of([&] { log(LogLevel::info, long_text); }).find(long_text + "\n"),
            std::string::npos);
  PipedStderr output;
  log(LogLevel::info, long_text);
  EXPECT_NE(output.read_all().find(long_text + "\n"), std::string::npos);
}

}  // namespace
}  // namespace lmb::telemetry
