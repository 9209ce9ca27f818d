#include "prefix_cache.hpp"

#include <gtest/gtest.h>

namespace lmb::sim {
namespace {

TEST(PrefixCache, holds_leading_blocks_only) {
  PrefixCache cache(10);
  cache.insert({1, 2, 3});
  EXPECT_EQ(cache.held({1, 2, 3, 4}), 3u);
  EXPECT_EQ(cache.held({1, 9, 3}), 1u);
  EXPECT_EQ(cache.held({9, 2, 3}), 0u);
  EXPECT_EQ(cache.held({}), 0u);
}

TEST(PrefixCache, forgets_the_least_recently_used_and_tails_first) {
  PrefixCache cache(4);
  cache.insert({1, 2});
  cache.insert({3, 4});
  cache.insert({1, 2});  // Younger now than 3, 4.
  cache.insert({5});
  EXPECT_EQ(cache.size(), 4u);
  EXPECT_EQ(cache.held({1, 2}), 2u);
  EXPECT_EQ(cache.held({3, 4}), 1u);
  cache.insert({10, 11, 12, 13, 14, 15});
  EXPECT_EQ(cache.held({10, 11, 12, 13, 14, 15}), 4u);
}

TEST(PrefixCache, of_no_size_holds_nothing) {
  PrefixCache cache(0);
  cache.insert({1, 2});
  EXPECT_EQ(cache.held({1, 2}), 0u);
}

}  // namespace
}  // namespace lmb::sim
