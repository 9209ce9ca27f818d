#include "lmb/telemetry/unheld_write.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "ends.hpp"

namespace lmb::telemetry {
namespace {

constexpr int lines_per_writer = 400;

std::string line_of(int writer, int line) {
  const auto name = std::to_string(writer) + "-" + std::to_string(line);
  const auto length = static_cast<std::size_t>(50 + 97 * (line % 7) + (line % 50 == 0 ? 9'000 : 0));
  return name + " " + std::string(length, 'x') + " " + name + "\n";
}

/// Writes all its lines, some of them together, giving up none.
void write_lines(int descriptor, int writer) {
  for (int line = 0; line < lines_per_writer; line += 2) {
    const std::string text = line_of(writer, line) + line_of(writer, line + 1);
    for (std::size_t done = 0; done < text.size();) {
      const auto written = write_unheld(descriptor, std::string_view(text).substr(done));
      if (written > 0) done += static_cast<std::size_t>(written);
      if (written < 0 && errno == EAGAIN) std::this_thread::yield();
    }
  }
}

class WriteUnheld : public testing::TestWithParam<Ends (*)()> {};

TEST_P(WriteUnheld, keeps_the_lines_of_several_writers_whole_for_a_slow_reader) {
  const Ends ends = GetParam()();
  ASSERT_GE(ends.writer, 0);
  constexpr int writers = 3;
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] { write_lines(ends.writer, i); });
  }
  std::string text;
  const auto lines_read = [&] { return std::count(text.begin(), text.end(), '\n'); };
  while (lines_read() < writers * lines_per_writer) {
    // The rest of the last line is nobody's; all others push out what is before them.
    (void)write_unheld(ends.writer, {});
    const auto more = ends.read_some(700);
    text += more;
    if (more.empty()) std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  ends.close();
  std::erase(text, '\r');  // A terminal's.
  std::istringstream lines(text);
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const auto name = line.substr(0, line.find(' '));
    const auto parts = name.find('-');
    ASSERT_NE(parts, std::string::npos) << line;
    ASSERT_EQ(line + "\n", line_of(std::stoi(name), std::stoi(name.substr(parts + 1)))) << "torn";
    names.insert(name);
  }
  EXPECT_EQ(names.size(), std::size_t{writers} * lines_per_writer);
}

INSTANTIATE_TEST_SUITE_P(To, WriteUnheld,
                         testing::Values(&Ends::of_pipe, &Ends::of_terminal, &Ends::of_stream));

TEST(WriteUnheldOnce, tells_what_was_written_and_why_nothing_was) {
  const Ends ends = Ends::of_pipe();
  EXPECT_EQ(write_unheld(ends.writer, {}), 0);
  EXPECT_EQ(write_unheld(ends.writer, "one\n"), 4);
  while (write_unheld(ends.writer, std::string(4096, 'x')) == 4096) continue;
  EXPECT_EQ(write_unheld(ends.writer, "two\n", std::chrono::milliseconds(1)), -1);
  EXPECT_EQ(errno, EAGAIN);
  ends.close();
  EXPECT_EQ(write_unheld(ends.writer, "three\n"), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace lmb::telemetry
