#include "lmb/telemetry/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "ends.hpp"

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

/// Stderr is `descriptor` while this lives.
class StderrTo {
 public:
  explicit StderrTo(int descriptor) : before_(::dup(STDERR_FILENO)) {
    EXPECT_GE(descriptor, 0);
    ::dup2(descriptor, STDERR_FILENO);
  }
  ~StderrTo() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;

 private:
  int before_;
};

class LogToPipe : public Log {
 protected:
  ~LogToPipe() override { output.close(); }
  const Ends output = Ends::of_pipe();
  const StderrTo to_it{output.writer};
};

TEST_F(LogToPipe, that_nobody_reads_drops_and_tells_how_much) {
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
  EXPECT_NE(text.find(" warning messages are missing here: 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" info read again\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("missing"), text.rfind("missing")) << text;
  EXPECT_EQ(log_messages_dropped(), before + 2);
}

TEST_F(LogToPipe, ends_the_line_of_a_message_of_which_only_a_part_found_room) {
  const auto before = log_messages_dropped();
  log(LogLevel::info, std::string(1'000'000, 'x'));
  EXPECT_EQ(log_messages_dropped(), before + 1);
  EXPECT_GE(output.read_all().size(), 4096U);
  log(LogLevel::info, "read again");
  const auto text = output.read_all();
  EXPECT_TRUE(text.starts_with('\n')) << text;
  EXPECT_NE(text.find("missing here: 1\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(" info read again\n")) << text;
}

TEST_F(LogToPipe, writes_long_messages_whole_where_there_is_room) {
  const std::string long_text(20'000, 'x');
  log(LogLevel::info, long_text);
  EXPECT_NE(output.read_all().find(long_text + "\n"), std::string::npos);
  EXPECT_NE(stderr_of([&] { log(LogLevel::info, long_text); }).find(long_text + "\n"),
            std::string::npos);
}

TEST_F(LogToPipe, that_nobody_reads_is_not_held_when_a_signal_comes) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
  const auto dropped_before = log_messages_dropped();
  while (log_messages_dropped() == dropped_before) log(LogLevel::info, "0123456789 end");
  std::atomic<std::uint64_t> logged{0};
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      log(LogLevel::info, "0123456789 end");
      ++logged;
      logged.notify_one();
    }
  });
  for (int round = 0; round < 2'000; ++round) {
    const auto count = logged.load();
    ::pthread_kill(writer.native_handle(), SIGUSR2);
    logged.wait(count);
    logged.wait(count + 1);  // It was held here, until the next signal.
  }
  done = true;
  writer.join();
  ::sigaction(SIGUSR2, &before, nullptr);
}

TEST_F(Log, that_nobody_reads_is_not_held_whatever_it_is) {
  const Ends unready = Ends::of_pipe();
  ::fcntl(unready.writer, F_SETFL, O_NONBLOCK);
  for (const Ends& output :
       {Ends::of_terminal(), Ends::of_socket(SOCK_STREAM), Ends::of_socket(SOCK_DGRAM), unready}) {
    ASSERT_GE(output.writer, 0);
    const auto before = log_messages_dropped();
    {
      const StderrTo to_it(output.writer);
      for (int i = 0; i < 5'000; ++i) log(LogLevel::info, std::string(100, 'x'));
      EXPECT_GT(log_messages_dropped(), before);
      EXPECT_NE(output.read_all().find("xxxx"), std::string::npos);
      log(LogLevel::info, "read again");
      EXPECT_NE(output.read_all().find("messages are missing here"), std::string::npos);
    }
    output.close();
  }
}

TEST_F(Log, whose_disk_is_full_tells_all_that_is_missing_when_it_is_not) {
  std::string path = testing::TempDir() + "lmbalancer-log-XXXXXX";
  const int file = ::mkstemp(path.data());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const auto dropped_before = log_messages_dropped();
  {
    const StderrTo to_it(file);
    // In turn: a part of the message, nothing, and a part of the words that tell of the two.
    for (const rlim_t limit : {5U, 5U, 20U}) {
      const rlimit small{limit, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &small);
      log(LogLevel::info, "lost");
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(log_messages_dropped(), dropped_before + 3);
    log(LogLevel::info, "read again");
  }
  std::signal(SIGXFSZ, handler);
  std::ifstream content(path);
  std::string text{std::istreambuf_iterator<char>(content), {}};
  EXPECT_NE(text.find(" warning messages are missing here: 3\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(" info read again\n")) << text;
  ::close(file);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace lmb::telemetry
