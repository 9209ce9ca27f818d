#include "lmb/telemetry/access_log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

namespace fs = std::filesystem;

class AccessLogFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "access_log_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return directory_ / "access.log"; }

  AccessLog open_log() const {
    Result<AccessLog> log = AccessLog::open(path(), {"mac-a", "mac-b"});
    EXPECT_TRUE(log.has_value());
    return std::move(log).value();
  }

  [[nodiscard]] std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// The request ids of all lines; a line that is no JSON object fails the test.
  [[nodiscard]] std::vector<std::string> request_ids() const {
    std::vector<std::string> ids;
    std::ifstream file(path());
    for (std::string line; std::getline(file, line);) {
      const auto fields = nlohmann::json::parse(line, nullptr, false);
      EXPECT_TRUE(fields.is_object()) << line;
      if (fields.is_object()) ids.push_back(fields.at("request_id"));
    }
    return ids;
  }

  fs::path directory_;
};

RequestRecord numbered(int number) {
  RequestRecord record = sample_record();
  record.request_id = std::to_string(number);
  return record;
}

TEST_F(AccessLogFile, collects_lines_until_flushed) {
  AccessLog log = open_log();
  RequestRecord record = numbered(1);
  record.worker = WorkerId(1);
  log.record(record);
  EXPECT_EQ(content(), "");
  log.flush();
  const auto fields = nlohmann::json::parse(content());
  EXPECT_EQ(fields.at("worker"), "mac-b");
  log.flush();
  EXPECT_EQ(request_ids(), (std::vector<std::string>{"1"}));
  EXPECT_EQ(log.dropped_lines(), 0U);
}

TEST_F(AccessLogFile, appends_to_what_is_there_and_writes_the_rest_when_destroyed) {
  { open_log().record(numbered(1)); }
  { open_log().record(numbered(2)); }
  EXPECT_EQ(request_ids(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(AccessLogFile, writes_whole_lines_of_at_most_64_kib_by_itself) {
  AccessLog log = open_log();
  std::size_t size_before = 0;
  int writes = 0;
  for (int i = 0; i < 1000; ++i) {
    log.record(numbered(i));
    const std::size_t size = fs::file_size(path());
    if (size == size_before) continue;
    ++writes;
    EXPECT_EQ(content().back(), '\n');
    EXPECT_LE(size - size_before, 64U * 1024);
    EXPECT_GT(size - size_before, 63U * 1024);
    size_before = size;
  }
  EXPECT_GE(writes, 5);
  log.flush();
  EXPECT_EQ(request_ids().size(), 1000U);
}

TEST_F(AccessLogFile, several_logs_on_one_file_keep_their_lines_whole) {
  constexpr int lines_per_thread = 600;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      AccessLog log = open_log();
      for (int line = 0; line < lines_per_thread; ++line) log.record(numbered(line));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(request_ids().size(), 4U * lines_per_thread);
}

TEST_F(AccessLogFile, several_logs_on_one_pipe_keep_their_lines_whole) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  constexpr int lines_per_thread = 500;
  // Both ends are held open here, so that no open() below waits for its peer.
  const int reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(::fcntl(reader, F_SETFL, 0), 0);
  std::vector<AccessLog> logs;
  for (int i = 0; i < 4; ++i) logs.push_back(open_log());
  std::vector<std::thread> threads;
  for (AccessLog& log : logs) {
    threads.emplace_back([own = std::move(log)]() mutable {
      for (int line = 0; line < lines_per_thread; ++line) own.record(numbered(line));
      own.flush();
      AccessLog closed = std::move(own);
    });
  }
  std::string text;
  std::array<char, 8192> buffer{};
  for (ssize_t got = 0; (got = ::read(reader, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  for (std::thread& thread : threads) thread.join();
  ::close(reader);
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(count, 4 * lines_per_thread);
}

#ifdef F_GETPIPE_SZ
TEST_F(AccessLogFile, what_a_reader_has_not_taken_waits_up_to_its_limit) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const int reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  constexpr std::size_t kept = 128 * 1024;
  std::optional<AccessLog> log(std::move(*AccessLog::open(path(), {"mac-a"}, kept)));
  const int pipe_bytes = ::fcntl(reader, F_GETPIPE_SZ);
  std::string line;
  append_access_line(numbered(1000), "mac-a", line);
  // The pipe's own memory is full before anything has to wait here.
  const auto taken = (static_cast<std::size_t>(pipe_bytes) + kept) / line.size();
  int number = 1000;
  const auto record = [&](std::size_t lines) {
    for (std::size_t i = 0; i < lines; ++i) log->record(numbered(number++));
    log->flush();
  };
  record(taken - static_cast<std::size_t>(pipe_bytes) / line.size() / 4);
  EXPECT_EQ(log->dropped_lines(), 0U);
  record(taken);
  EXPECT_GT(log->dropped_lines(), 0U);
  EXPECT_LT(log->dropped_lines(), 2 * taken);
  log.reset();  // It writes once more: the reader must still be there.
  ::close(reader);
}

TEST_F(AccessLogFile, lines_that_fit_their_limit_to_the_byte_wait_and_no_line_more) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const int reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
  const int other_writer = ::open(path().c_str(), O_WRONLY | O_NONBLOCK);
  ASSERT_GE(other_writer, 0);
  const std::string page(4096, 'x');
  while (::write(other_writer, page.data(), page.size()) > 0) continue;
  std::string line;
  append_access_line(numbered(1000), "mac-a", line);
  constexpr std::size_t lines = 10;
  for (const std::size_t missing : {0U, 1U}) {
    const auto limit = lines * line.size() - missing;
    std::optional<AccessLog> log(std::move(*AccessLog::open(path(), {"mac-a"}, limit)));
    const auto record = [&](int number) {
      log->record(numbered(number));
      log->flush();
    };
    for (std::size_t i = 0; i < lines; ++i) record(1000 + static_cast<int>(i));
    EXPECT_EQ(log->dropped_lines(), missing) << "a byte less is a line less";
    record(2000);
    EXPECT_EQ(log->dropped_lines(), missing + 1);
  }
  ::close(other_writer);
  ::close(reader);
}

TEST_F(AccessLogFile, what_nobody_takes_at_the_end_is_counted) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const int reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
  const int other_writer = ::open(path().c_str(), O_WRONLY | O_NONBLOCK);
  const std::string page(4096, 'x');
  while (::write(other_writer, page.data(), page.size()) > 0) continue;
  AccessLog log = open_log();
  for (int i = 0; i < 3; ++i) log.record(numbered(i));
  EXPECT_EQ(log.end(Clock::now()), 3U);
  EXPECT_EQ(log.dropped_lines(), 3U);
  EXPECT_EQ(log.end(Clock::now()), 0U);
  ::close(other_writer);
  ::close(reader);
}
#endif

TEST_F(AccessLogFile, a_line_torn_by_a_full_disk_is_finished_later) {
  AccessLog log = open_log();
  for (int i = 0; i < 8; ++i) log.record(numbered(i));
  std::string line;
  append_access_line(numbered(0), "mac-a", line);

  // RLIMIT_FSIZE makes write(2) stop short and then fail, as a disk that runs full does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = line.size() * 5 / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  log.flush();
  log.flush();
  log.record(numbered(8));
  log.flush();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_EQ(content().size(), small.rlim_cur);
  EXPECT_EQ(log.dropped_lines(), 6U);  // 3 to 7, and 8
  log.record(numbered(9));
  log.flush();
  EXPECT_EQ(request_ids(), (std::vector<std::string>{"0", "1", "2", "9"}));
  EXPECT_EQ(log.dropped_lines(), 6U);
}

TEST(AccessLog, counts_lines_that_a_full_device_refuses) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this system has no /dev/full";
  Result<AccessLog> opened = AccessLog::open("/dev/full", {});
  ASSERT_TRUE(opened.has_value());
  AccessLog log = std::move(opened).value();
  for (int i = 0; i < 3; ++i) log.record(numbered(i));
  EXPECT_EQ(log.dropped_lines(), 0U);
  log.flush();
  EXPECT_EQ(log.dropped_lines(), 3U);
  for (int i = 0; i < 1000; ++i) log.record(numbered(i));
  log.flush();
  EXPECT_EQ(log.dropped_lines(), 1003U);
}

TEST_F(AccessLogFile, that_is_a_pipe_without_a_reader_is_an_error_and_no_wait) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const auto opened = AccessLog::open(path(), {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().detail().find("start its reader first"), std::string::npos);
}

TEST(AccessLog, an_empty_path_turns_it_off) {
  Result<AccessLog> opened = AccessLog::open("", {"mac-a"});
  ASSERT_TRUE(opened.has_value());
  AccessLog log = std::move(opened).value();
  testing::internal::CaptureStdout();
  log.record(numbered(1));
  log.flush();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(log.dropped_lines(), 0U);
}

TEST(AccessLog, a_dash_is_standard_output_which_stays_open) {
  testing::internal::CaptureStdout();
  { std::move(AccessLog::open("-", {"mac-a"})).value().record(numbered(1)); }
  { std::move(AccessLog::open("-", {"mac-a"})).value().record(numbered(2)); }
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(AccessLog, a_path_that_cannot_be_opened_is_an_error_with_the_reason) {
  const Result<AccessLog> log = AccessLog::open("/nonexistent-directory/access.log", {});
  ASSERT_TRUE(log.has_error());
  EXPECT_EQ(log.error().kind(), ErrorKind::internal);
  EXPECT_NE(log.error().detail().find("/nonexistent-directory/access.log: "), std::string::npos);
}

TEST_F(AccessLogFile, moving_hands_over_file_and_collected_lines) {
  AccessLog first = open_log();
  first.record(numbered(1));
  AccessLog second = std::move(first);
  second.record(numbered(2));
  AccessLog third = open_log();
  third.record(numbered(3));
  third = std::move(second);
  EXPECT_EQ(request_ids(), (std::vector<std::string>{"3"}));
  third.flush();
  EXPECT_EQ(request_ids(), (std::vector<std::string>{"3", "1", "2"}));
}

}  // namespace
}  // namespace lmb::telemetry
