#include "lmb/sim/version.hpp"

#include <gtest/gtest.h>

#include "version_facts.hpp"

namespace lmb::sim {
namespace {

TEST(StudioVersion, is_three_numbers_and_nothing_else) {
  EXPECT_EQ(parse_version("0.3.29"), (StudioVersion{0, 3, 29}));
  EXPECT_EQ(to_string(StudioVersion{0, 4, 1}), "0.4.1");
  EXPECT_EQ(to_string(StudioVersion()), "0.4.26");
  for (const char* text : {"", "0", "0.4", "0.4.", "0.4.26 ", " 0.4.26", "0.4.26.1", "v0.4.26",
                           "0.-1.2", "0.4.x", "0.4.99999999999"}) {
    EXPECT_EQ(parse_version(text), std::nullopt) << text;
  }
}

TEST(StudioVersion, is_compared_by_number) {
  EXPECT_LT((StudioVersion{0, 3, 6}), (StudioVersion{0, 3, 29}));
  EXPECT_LT((StudioVersion{0, 3, 29}), (StudioVersion{0, 4, 0}));
  EXPECT_FALSE(unloads_by_itself({0, 3, 6}));
  EXPECT_TRUE(unloads_by_itself({0, 3, 29}));
  EXPECT_TRUE(any_name_answers({0, 3, 6}));
  EXPECT_FALSE(any_name_answers({0, 3, 29}));
  EXPECT_FALSE(is_parallel({0, 3, 29}));
  EXPECT_TRUE(is_parallel({0, 4, 0}));
  EXPECT_FALSE(has_engine_protocol({0, 4, 0}));
  EXPECT_TRUE(has_engine_protocol({0, 4, 26}));
}

}  // namespace
}  // namespace lmb::sim
