#include "request_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lmb/protocol/head.hpp"

namespace lmb::bench {
namespace {

LoadPlan plan_with_aborts(double share) {
  LoadPlan plan;
  plan.requests = 10'000;
  plan.abort_share = share;
  plan.seed = 7;
  return plan;
}

TEST(RequestPlan, aborts_about_the_share_asked_for) {
  EXPECT_EQ(planned_aborts(plan_with_aborts(0)), 0u);
  EXPECT_EQ(planned_aborts(plan_with_aborts(1)), 10'000u);
  // 10,000 draws of 0.25: a standard deviation is 43.
  EXPECT_NEAR(static_cast<double>(planned_aborts(plan_with_aborts(0.25))), 2500, 215);
}

TEST(RequestPlan, draws_abort_points_over_the_whole_range) {
  const LoadPlan plan = plan_with_aborts(1);
  std::set<std::uint32_t> tokens;
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto point = abort_point(plan, i);
    ASSERT_TRUE(point.has_value());
    tokens.insert(point->tokens);
    EXPECT_LT(point->delay, plan.abort_delay_max);
    EXPECT_EQ(point->delay > Duration::zero(), point->tokens == 0);
  }
  EXPECT_EQ(tokens.size(), plan.abort_tokens_max + 1u);
  EXPECT_EQ(*tokens.rbegin(), plan.abort_tokens_max);
}

TEST(RequestPlan, leaves_whole_answers_without_reading) {
  LoadPlan plan = plan_with_aborts(1);
  plan.stream = false;
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(abort_point(plan, i)->tokens, 0u);
}

TEST(RequestPlan, repeats_itself_for_a_seed_and_differs_for_another) {
  LoadPlan plan = plan_with_aborts(0.5);
  const auto draws = [&plan] {
    std::string out;
    for (std::size_t i = 0; i < 200; ++i) out += abort_point(plan, i) ? 'x' : '-';
    return out;
  };
  const std::string first = draws();
  EXPECT_EQ(draws(), first);
  plan.seed = 8;
  EXPECT_NE(draws(), first);
}

TEST(RequestPlan, shares_no_prompt_prefix_between_requests_and_runs) {
  LoadPlan plan;
  std::set<std::string> prefixes;
  std::size_t count = 0;
  for (const std::uint64_t nonce : {1U, 2U}) {
    for (const std::size_t concurrency : {6U, 12U}) {
      for (const bool warmup : {false, true}) {
        plan.nonce = nonce;
        plan.concurrency = concurrency;
        for (std::size_t i = 0; i < 500; ++i, ++count) {
          prefixes.insert(prompt_text(plan, i, warmup).substr(0, 16));
        }
      }
    }
  }
  EXPECT_EQ(prefixes.size(), count);
}

TEST(RequestPlan, sends_the_same_words_for_the_same_seed_behind_the_nonce) {
  LoadPlan plan;
  plan.nonce = 1;
  const std::string first = prompt_text(plan, 3, false);
  plan.nonce = 2;
  const std::string second = prompt_text(plan, 3, false);
  EXPECT_NE(first, second);
  EXPECT_EQ(first.substr(16), second.substr(16));
}

TEST(RequestPlan, makes_prompts_about_as_long_as_asked) {
  LoadPlan plan;
  plan.prompt_tokens = 1000;
  const std::string text = prompt_text(plan, 0, false);
  // Words of one token each, the nonce's digits apart.
  EXPECT_NEAR(static_cast<double>(std::count(text.begin(), text.end(), ' ')), 1000, 20);
  plan.prompt_tokens = 1;
  EXPECT_FALSE(prompt_text(plan, 0, false).empty());
}

TEST(RequestPlan, writes_a_request_that_our_own_parser_takes) {
  LoadPlan plan;
  plan.target = parse_target("http://[::1]:1234/v1").value();
  plan.model = "say \"m\"";
  plan.api_key = "sk-1";
  const std::string bytes = request_bytes(plan, 0, false);
  const auto end = protocol::find_head_end(bytes, 0, {}).value();
  protocol::RequestHead head;
  ASSERT_TRUE(protocol::parse_request_head(std::string_view(bytes).substr(0, end), {}, head));
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat/completions");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.content_length, bytes.size() - end);
  EXPECT_NE(bytes.find("\r\nHost: [::1]:1234\r\n"), std::string::npos);
  EXPECT_NE(bytes.find("\r\nAuthorization: Bearer sk-1\r\n"), std::string::npos);
  const auto body = nlohmann::json::parse(bytes.substr(end));
  EXPECT_EQ(body["model"], "say \"m\"");
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
  EXPECT_EQ(body["max_tokens"], 128);
}

TEST(RequestPlan, asks_for_a_whole_answer_without_stream) {
  LoadPlan plan;
  plan.stream = false;
  const std::string bytes = request_bytes(plan, 0, false);
  const auto body = nlohmann::json::parse(bytes.substr(bytes.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["stream"], false);
  EXPECT_FALSE(body.contains("stream_options"));
  EXPECT_EQ(bytes.find("Authorization"), std::string::npos);
}

}  // namespace
}  // namespace lmb::bench
