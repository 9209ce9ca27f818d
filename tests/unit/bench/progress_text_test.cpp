#include "progress_text.hpp"

#include <gtest/gtest.h>

namespace lmb::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Progress measured(std::size_t done, std::size_t total, Duration elapsed, std::size_t failed = 0) {
  Progress progress;
  progress.done = done;
  progress.total = total;
  progress.elapsed = elapsed;
  progress.failed = failed;
  return progress;
}

TEST(ProgressText, draws_a_bar_over_itself) {
  ProgressText text("concurrency 6", true);
  EXPECT_EQ(
      text.update(measured(20, 40, seconds(10), 1)),
      "\r\x1b[Kconcurrency 6 [###############...............] 20/40  10.0 s  2.00 req/s  1 failed");
  EXPECT_EQ(text.update(measured(40, 40, seconds(20))), "\r\x1b[K");
}

TEST(ProgressText, writes_whole_lines_now_and_then) {
  ProgressText text("c", false);
  EXPECT_EQ(text.update(measured(0, 40, milliseconds(100))), "");
  EXPECT_EQ(text.update(measured(4, 40, milliseconds(500))), "") << "too soon";
  EXPECT_EQ(text.update(measured(4, 40, seconds(2))), "c: 4/40  2.0 s  2.00 req/s\n");
  EXPECT_EQ(text.update(measured(5, 40, seconds(4))), "") << "too little";
  EXPECT_EQ(text.update(measured(5, 40, seconds(17))), "c: 5/40  17.0 s  0.294 req/s\n")
      << "silent for too long";
  EXPECT_EQ(text.update(measured(40, 40, milliseconds(17100))), "c: 40/40  17.1 s  2.34 req/s\n");
  EXPECT_EQ(text.update(measured(40, 40, milliseconds(17100))), "") << "said already";
}

TEST(ProgressText, begins_anew_after_the_warm_up) {
  ProgressText text("c", false);
  Progress warming = measured(2, 2, seconds(60));
  warming.warming_up = true;
  EXPECT_EQ(text.update(warming), "");
  EXPECT_EQ(text.update(measured(4, 40, seconds(2))), "c: 4/40  2.0 s  2.00 req/s\n");
}

TEST(ProgressText, is_silent_about_nothing) {
  ProgressText text("c", true);
  EXPECT_EQ(text.update(Progress()), "");
}

}  // namespace
}  // namespace lmb::bench
