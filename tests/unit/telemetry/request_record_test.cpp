#include "lmb/telemetry/request_record.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <random>
#include <set>
#include <string>

namespace lmb::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr TimePoint start = TimePoint(seconds(1000));

Duration sum_of_phases(const PhaseClock& clock) {
  Duration sum{};
  for (std::size_t i = 0; i < phase_count; ++i) sum += clock.spent(static_cast<Phase>(i));
  return sum;
}

TEST(PhaseClock, phases_sum_to_the_total_whatever_is_entered_when) {
  std::mt19937_64 random(20261121);
  for (int history = 0; history < 500; ++history) {
    TimePoint now = start + nanoseconds(random() % 1'000'000'000);
    const TimePoint begun = now;
    PhaseClock clock(begun);
    std::array<Duration, phase_count> expected{};
    const auto enters = random() % 40;
    for (std::uint64_t i = 0; i < enters; ++i) {
      const Duration step(random() % 3 == 0 ? 0 : random() % 5'000'000'000);
      expected[static_cast<std::size_t>(clock.open())] += step;
      now += step;
      clock.enter(static_cast<Phase>(random() % phase_count), now);
      ASSERT_EQ(sum_of_phases(clock), clock.total());
      ASSERT_EQ(clock.total(), now - begun);
    }
    const Duration rest(random() % 1'000'000);
    expected[static_cast<std::size_t>(clock.open())] += rest;
    clock.stop(now + rest);
    EXPECT_EQ(clock.total(), now + rest - begun);
    for (std::size_t i = 0; i < phase_count; ++i) {
      EXPECT_EQ(clock.spent(static_cast<Phase>(i)), expected[i])
          << to_string(static_cast<Phase>(i));
    }
  }
}

TEST(PhaseClock, starts_in_read_and_keeps_the_open_phase_when_stopped) {
  PhaseClock clock(start);
  EXPECT_EQ(clock.open(), Phase::read);
  clock.enter(Phase::queue, start + seconds(1));
  clock.stop(start + seconds(3));
  EXPECT_EQ(clock.open(), Phase::queue);
  EXPECT_EQ(clock.begun(), start);
  EXPECT_EQ(clock.spent(Phase::read), seconds(1));
  EXPECT_EQ(clock.spent(Phase::queue), seconds(2));
}

TEST(Phase, names_and_letters_are_distinct) {
  std::set<std::string> names;
  std::string letters;
  for (std::size_t i = 0; i < phase_count; ++i) {
    names.emplace(to_string(static_cast<Phase>(i)));
    letters += phase_letter(static_cast<Phase>(i));
  }
  EXPECT_EQ(names.size(), phase_count);
  EXPECT_EQ(letters, "RPQCSHDL");
  EXPECT_EQ(to_string(Phase::prefill), "prefill");
}

TEST(RequestRecord, ttft_counts_from_the_begin_of_the_request) {
  RequestRecord record;
  record.phases = PhaseClock(start);
  EXPECT_FALSE(time_to_first_token(record));
  record.first_token = start + milliseconds(1250);
  EXPECT_EQ(time_to_first_token(record), milliseconds(1250));
}

TEST(RequestRecord, tpot_divides_by_the_tokens_after_the_first) {
  RequestRecord record;
  record.phases = PhaseClock(start);
  record.first_token = start + seconds(1);
  record.last_token = start + seconds(3);
  record.generated_tokens = 5;
  EXPECT_EQ(time_per_output_token(record), milliseconds(500));
}

TEST(RequestRecord, tpot_needs_two_tokens_and_both_times) {
  RequestRecord record;
  record.phases = PhaseClock(start);
  record.generated_tokens = 2;
  EXPECT_FALSE(time_per_output_token(record));
  record.first_token = start + seconds(1);
  EXPECT_FALSE(time_per_output_token(record));
  record.last_token = start + seconds(1);
  EXPECT_EQ(time_per_output_token(record), Duration::zero());
  record.generated_tokens = 1;
  EXPECT_FALSE(time_per_output_token(record));
  record.generated_tokens = 0;
  EXPECT_FALSE(time_per_output_token(record));
}

}  // namespace
}  // namespace lmb::telemetry
