#include "text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace lmb::sim {
namespace {

TEST(Text, answers_are_sentences_of_small_tokens_and_depend_on_the_seed_alone) {
  const auto answer = make_answer(42, 100);
  EXPECT_EQ(answer, make_answer(42, 100));
  EXPECT_NE(answer, make_answer(43, 100));
  EXPECT_GE(answer.size(), 100u);
  EXPECT_LE(answer.size(), 130u);
  const std::string text = std::accumulate(answer.begin(), answer.end(), std::string());
  EXPECT_TRUE(text.front() >= 'A' && text.front() <= 'Z') << text;
  EXPECT_EQ(text.back(), '.');
  EXPECT_NEAR(static_cast<double>(text.size()) / static_cast<double>(answer.size()), 4, 1);
  for (const auto& token : answer) EXPECT_LE(token.size(), 5u);
}

TEST(Text, embeddings_have_length_one_and_depend_on_the_text_alone) {
  const auto vector = make_embedding("hello", 768);
  EXPECT_EQ(vector, make_embedding("hello", 768));
  EXPECT_NE(vector, make_embedding("hallo", 768));
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(squares, 1, 1e-5);
}

TEST(Text, equal_beginnings_have_equal_prefix_hashes) {
  const std::string common(1024, 'a');
  const auto one = hash_prefix(common + std::string(512, 'b'));
  const auto two = hash_prefix(common + std::string(512, 'c'));
  ASSERT_EQ(one.size(), 6u);
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + 4, two.begin()));
  EXPECT_NE(one[4], two[4]);
  EXPECT_NE(one[5], two[5]);
  EXPECT_NE(one[0], one[1]);  // Chained: the same bytes further back are another block.
  EXPECT_TRUE(hash_prefix("short").empty());
}

TEST(Text, a_token_is_estimated_at_four_bytes) {
  EXPECT_EQ(estimate_tokens(""), 1u);
  EXPECT_EQ(estimate_tokens("abcd"), 1u);
  EXPECT_EQ(estimate_tokens("abcde"), 2u);
}

}  // namespace
}  // namespace lmb::sim
