#include "lmb/scheduling/response_homes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lmb::scheduling {
namespace {

using namespace std::chrono_literals;

const TimePoint start = TimePoint{} + 1h;
const auto all_there = [](WorkerId) { return true; };

TEST(ResponseHomes, know_who_made_a_response) {
  ResponseHomes homes({});
  homes.remember("resp_1", WorkerId(3), start);
  const Home home = homes.find("resp_1", start + 23h, 5, all_there);
  EXPECT_EQ(home.verdict, HomeVerdict::known);
  EXPECT_EQ(home.worker, WorkerId(3));
}

TEST(ResponseHomes, tell_when_the_worker_is_away) {
  ResponseHomes homes({});
  homes.remember("resp_1", WorkerId(3), start);
  const Home home =
      homes.find("resp_1", start, 5, [](WorkerId worker) { return worker != WorkerId(3); });
  EXPECT_EQ(home.verdict, HomeVerdict::away);
  EXPECT_EQ(home.worker, WorkerId(3));
}

TEST(ResponseHomes, an_unknown_id_is_refused_only_where_there_is_a_choice) {
  const ResponseHomes homes({});
  EXPECT_EQ(homes.find("resp_1", start, 2, all_there).verdict, HomeVerdict::unknown);
  EXPECT_EQ(homes.find("resp_1", start, 1, all_there).verdict, HomeVerdict::any);
}

TEST(ResponseHomes, know_nothing_of_what_the_last_owner_of_a_place_made) {
  ResponseHomes homes({});
  homes.remember("resp_1", WorkerId(3), start);
  homes.remember("resp_2", WorkerId(4), start);
  homes.forget(WorkerId(3));
  homes.remember("resp_3", WorkerId(3), start);
  EXPECT_EQ(homes.find("resp_1", start, 5, all_there).verdict, HomeVerdict::unknown);
  EXPECT_EQ(homes.find("resp_2", start, 5, all_there).verdict, HomeVerdict::known);
  EXPECT_EQ(homes.find("resp_3", start, 5, all_there).verdict, HomeVerdict::known);
}

TEST(ResponseHomes, forget_after_a_day) {
  ResponseHomes homes({});
  homes.remember("resp_1", WorkerId(3), start);
  EXPECT_EQ(homes.find("resp_1", start + 24h - 1ns, 2, all_there).verdict, HomeVerdict::known);
  EXPECT_EQ(homes.find("resp_1", start + 24h, 2, all_there).verdict, HomeVerdict::unknown);
  homes.remember("resp_2", WorkerId(3), start + 25h);
  EXPECT_EQ(homes.size(), 1U);
}

TEST(ResponseHomes, an_id_told_again_is_young_again) {
  ResponseHomes homes({});
  homes.remember("resp_1", WorkerId(3), start);
  homes.remember("resp_1", WorkerId(4), start + 20h);
  homes.remember("resp_2", WorkerId(1), start + 30h);
  EXPECT_EQ(homes.find("resp_1", start + 30h, 5, all_there).worker, WorkerId(4));
  EXPECT_EQ(homes.find("resp_1", start + 30h, 5, all_there).verdict, HomeVerdict::known);
}

TEST(ResponseHomes, hold_a_hundred_thousand_and_forget_the_oldest) {
  ResponseHomes homes({});
  for (std::uint32_t i = 0; i < 150'000; ++i) {
    homes.remember("resp_" + std::to_string(i), WorkerId(i % 7), start + i * 1us);
  }
  EXPECT_EQ(homes.size(), 100'000U);
  EXPECT_EQ(homes.find("resp_49999", start, 7, all_there).verdict, HomeVerdict::unknown);
  for (const std::uint32_t i : {50'000U, 99'999U, 149'999U}) {
    EXPECT_EQ(homes.find("resp_" + std::to_string(i), start, 7, all_there).worker, WorkerId(i % 7));
  }
  // One id again and again does not make it grow.
  for (int i = 0; i < 300'000; ++i) {
    homes.remember("resp_same", WorkerId(1), start + 1s);
  }
  EXPECT_EQ(homes.size(), 1U);
}

}  // namespace
}  // namespace lmb::scheduling
