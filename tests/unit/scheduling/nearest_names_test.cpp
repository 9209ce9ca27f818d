#include "lmb/scheduling/nearest_names.hpp"

#include <gtest/gtest.h>

namespace lmb::scheduling {
namespace {

using Names = std::vector<std::string>;

const Names known{"qwen/qwen3-30b-a3b", "qwen/qwen3-8b", "openai/gpt-oss-20b",
                  "openai/gpt-oss-120b", "text-embedding-nomic-embed-text-v1.5"};

TEST(NearestNames, are_those_that_hold_the_wrong_one_or_are_held_by_it) {
  EXPECT_EQ(nearest_names("gpt-oss", known), (Names{"openai/gpt-oss-20b", "openai/gpt-oss-120b"}));
  EXPECT_EQ(nearest_names("QWEN3-8B", known), (Names{"qwen/qwen3-8b"}));
  EXPECT_EQ(nearest_names("mlx-community/openai/gpt-oss-20b", known).front(), "openai/gpt-oss-20b");
}

TEST(NearestNames, forgive_a_third_of_the_letters) {
  EXPECT_EQ(nearest_names("openai/gtp-oss-20b", known).front(), "openai/gpt-oss-20b");
  EXPECT_EQ(nearest_names("qwen/qwen3-9b", known, 1), (Names{"qwen/qwen3-8b"}));
  EXPECT_EQ(nearest_names("llama", known), Names{});
}

TEST(NearestNames, are_few) {
  const Names many(1000, "model");
  EXPECT_EQ(nearest_names("model", many).size(), 3U);
  EXPECT_EQ(nearest_names("model", many, 1000).size(), 500U);
  EXPECT_EQ(nearest_names("", known), Names{});
  EXPECT_EQ(nearest_names(std::string(100'000, 'x'), known), Names{});
}

}  // namespace
}  // namespace lmb::scheduling
