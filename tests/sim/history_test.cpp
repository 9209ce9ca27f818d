#include "sim/history.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace lmb::history {
namespace {

/// The history being played, for the message when an assertion inside the scheduler aborts.
volatile std::sig_atomic_t playing = 0;

void tell_seed(int /*signal*/) {
  std::fprintf(stderr, "while playing seed %ld: replay with lmb_sim --seed %ld --trace\n",
               static_cast<long>(playing), static_cast<long>(playing));
  std::fflush(stderr);
}

Ends play(std::uint64_t seed) {
  playing = static_cast<std::sig_atomic_t>(seed);
  const auto before = std::signal(SIGABRT, tell_seed);
  History history(seed);
  const auto complaint = history.run();
  std::signal(SIGABRT, before);
  EXPECT_FALSE(complaint) << "seed " << seed << ": " << complaint.value_or("")
                          << "\nreplay with: lmb_sim --seed " << seed << " --trace";
  return history.ends();
}

// A history takes ten times as long under a sanitizer: there 60 look for memory faults, the
// everyday suite's 300 for those of the rules.
#ifdef LMB_SANITIZED
constexpr std::uint64_t seeds_per_block = 6;
#else
constexpr std::uint64_t seeds_per_block = 30;
#endif

class SeededHistories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SeededHistories, keep_every_invariant_after_every_event) {
  for (std::uint64_t seed = GetParam(); seed < GetParam() + seeds_per_block; ++seed) {
    play(seed);
    if (HasFailure()) {
      break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Blocks, SeededHistories,
                         ::testing::Range<std::uint64_t>(1, 1 + 10 * seeds_per_block,
                                                         seeds_per_block));

#ifndef LMB_SANITIZED  // Eighty more would find nothing that the blocks above do not.
/// Histories that never meet the rare cases prove little: over eighty seeds every kind of end
/// occurs.
TEST(Histories, meet_every_kind_of_end) {
  Ends all;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    const Ends ends = play(seed);
    all.answered += ends.answered;
    all.failed += ends.failed;
    all.left += ends.left;
    all.retries += ends.retries;
    all.withdrawn_too_late += ends.withdrawn_too_late;
    all.reloads += ends.reloads;
    all.orphans += ends.orphans;
    all.returns += ends.returns;
    for (const auto& [why, count] : ends.refused) {
      all.refused[why] += count;
    }
  }
  EXPECT_GT(all.answered, 1000U);
  EXPECT_GT(all.failed, 100U);
  EXPECT_GT(all.left, 100U);
  EXPECT_GT(all.retries, 100U);
  EXPECT_GT(all.withdrawn_too_late, 10U);
  EXPECT_GT(all.reloads, 200U);
  EXPECT_GT(all.orphans, 50U);
  EXPECT_GT(all.returns, 2U);
  for (const auto why : {scheduling::Refusal::queue_full, scheduling::Refusal::unknown_model,
                         scheduling::Refusal::no_worker, scheduling::Refusal::deadline,
                         scheduling::Refusal::closed, scheduling::Refusal::all_tried}) {
    EXPECT_GT(all.refused[why], 5U) << to_string(why);
  }
}
#endif

TEST(Histories, of_one_seed_are_the_same_each_time) {
  std::ostringstream first;
  std::ostringstream second;
  EXPECT_FALSE(History(7, &first).run());
  EXPECT_FALSE(History(7, &second).run());
  EXPECT_GT(first.str().size(), 1000U);
  EXPECT_EQ(first.str(), second.str());
}

TEST(Histories, that_once_found_a_fault_stay_well) {
  std::ifstream file(LMB_SEEDS_FILE);
  ASSERT_TRUE(file) << LMB_SEEDS_FILE;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') {
      play(std::stoull(line));
    }
  }
}

}  // namespace
}  // namespace lmb::history
