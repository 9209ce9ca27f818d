#include "selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "printing.hpp"

namespace lmb::scheduling {
namespace {

Candidate candidate(std::uint32_t worker, std::uint32_t in_flight, std::uint32_t weight = 1,
                    std::uint64_t last_grant = 0) {
  return {.worker = WorkerId(worker),
          .instance = InstanceId(0),
          .in_flight = in_flight,
          .weight = weight,
          .last_grant = last_grant};
}

const Candidate& best(const std::vector<Candidate>& candidates) {
  return *std::min_element(candidates.begin(), candidates.end(), better);
}

WorkerId pick_of(const std::vector<Candidate>& candidates) {
  return best(candidates).worker;
}

TEST(Selection, takes_the_only_candidate) {
  EXPECT_EQ(pick_of({candidate(7, 99)}), WorkerId(7));
}

TEST(Selection, takes_the_least_loaded_wherever_it_stands) {
  EXPECT_EQ(pick_of({candidate(0, 2), candidate(1, 1), candidate(2, 3)}), WorkerId(1));
  EXPECT_EQ(pick_of({candidate(0, 1), candidate(1, 2), candidate(2, 3)}), WorkerId(0));
  EXPECT_EQ(pick_of({candidate(0, 3), candidate(1, 2), candidate(2, 1)}), WorkerId(2));
}

TEST(Selection, load_beats_age) {
  EXPECT_EQ(pick_of({candidate(0, 1, 1, 5), candidate(1, 0, 1, 900)}), WorkerId(1));
}

TEST(Selection, a_tie_goes_to_the_grant_longest_ago) {
  EXPECT_EQ(pick_of({candidate(0, 1, 1, 8), candidate(1, 1, 1, 6), candidate(2, 1, 1, 7)}),
            WorkerId(1));
}

TEST(Selection, weights_count_the_request_to_be_placed) {
  // 1/1 against 1/2: idle, the heavier one.
  EXPECT_EQ(pick_of({candidate(0, 0, 1), candidate(1, 0, 2)}), WorkerId(1));
  // 1/1 against 2/2: a tie, so age decides.
  EXPECT_EQ(pick_of({candidate(0, 0, 1, 1), candidate(1, 1, 2, 2)}), WorkerId(0));
  EXPECT_EQ(pick_of({candidate(0, 0, 1, 2), candidate(1, 1, 2, 1)}), WorkerId(1));
  // 1/1 against 3/2.
  EXPECT_EQ(pick_of({candidate(0, 0, 1, 9), candidate(1, 2, 2, 1)}), WorkerId(0));
}

TEST(Selection, weights_are_compared_exactly) {
  // 333/999 and 334/1000 differ by 0.0007; 333/999 and 1/3 not at all, though neither is a float.
  EXPECT_EQ(pick_of({candidate(0, 333, 1000, 0), candidate(1, 332, 999, 9)}), WorkerId(1));
  EXPECT_EQ(pick_of({candidate(0, 0, 3, 9), candidate(1, 332, 999, 8)}), WorkerId(1));
  EXPECT_EQ(pick_of({candidate(0, 0, 3, 8), candidate(1, 332, 999, 9)}), WorkerId(0));
}

TEST(Selection, takes_the_instance_that_runs_the_least_of_a_worker) {
  const auto on = [](std::uint32_t instance, std::uint32_t running, std::uint64_t last_grant) {
    Candidate each = candidate(3, 5, 1, 70);
    each.instance = InstanceId(instance);
    each.instance_in_flight = running;
    each.instance_last_grant = last_grant;
    return each;
  };
  EXPECT_EQ(best({on(0, 3, 1), on(1, 2, 70)}).instance, InstanceId(1));
  EXPECT_EQ(best({on(0, 2, 9), on(1, 2, 8)}).instance, InstanceId(1));
  // Another worker's load counts first.
  EXPECT_EQ(best({on(0, 0, 1), candidate(4, 4, 1, 90)}).worker, WorkerId(4));
}

TEST(Selection, does_not_overflow) {
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(pick_of({candidate(0, most, 1000), candidate(1, most - 1, 1000)}), WorkerId(1));
  EXPECT_EQ(pick_of({candidate(0, most, 1), candidate(1, most, 1000)}), WorkerId(1));
}

/// Sequential requests with a random eligible set each time: between two wins of one worker no
/// worker that was eligible all the time is left out twice.
TEST(Selection, rotation_is_fair_under_a_changing_eligible_set) {
  std::mt19937_64 random(1);
  constexpr std::uint32_t size = 5;
  std::array<std::uint64_t, size> last{};
  std::array<std::uint32_t, size> passed_over{};
  for (std::uint64_t grant = 1; grant <= 20'000; ++grant) {
    std::vector<Candidate> eligible;
    for (std::uint32_t i = 0; i < size; ++i) {
      if (random() % 2 == 0) {
        eligible.push_back(candidate(i, 0, 1, last[i]));
      }
    }
    if (eligible.empty()) {
      continue;
    }
    const std::uint32_t winner = pick_of(eligible).value();
    last[winner] = grant;
    for (const Candidate& each : eligible) {
      const std::uint32_t i = each.worker.value();
      passed_over[i] = i == winner ? 0 : passed_over[i] + 1;
      ASSERT_LT(passed_over[i], size) << "worker " << i << " starves at grant " << grant;
    }
  }
}

/// The case that breaks a cursor over positions: worker 1 can never serve, so a cursor that
/// moves on from it hands its turns to worker 2.
TEST(Selection, the_neighbour_of_an_absent_worker_gets_no_double_share) {
  std::array<std::uint64_t, 4> last{};
  std::array<int, 4> wins{};
  for (std::uint64_t grant = 1; grant <= 300; ++grant) {
    std::vector<Candidate> eligible;
    for (const std::uint32_t i : {0U, 2U, 3U}) {
      eligible.push_back(candidate(i, 0, 1, last[i]));
    }
    const std::uint32_t winner = pick_of(eligible).value();
    last[winner] = grant;
    ++wins[winner];
  }
  EXPECT_EQ(wins, (std::array<int, 4>{100, 0, 100, 100}));
}

}  // namespace
}  // namespace lmb::scheduling
