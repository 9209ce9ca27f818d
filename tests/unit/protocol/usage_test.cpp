#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lmb/protocol/sse_scanner.hpp"
#include "padded_text.hpp"

namespace lmb::protocol {
namespace {

void expect_usage(std::string_view body, Dialect dialect, std::uint64_t prompt,
                  std::uint64_t generated) {
  const PaddedText padded(body, '}');
  const std::optional<Usage> usage = usage_of_answer(padded.view(), dialect);
  ASSERT_TRUE(usage.has_value()) << body;
  EXPECT_EQ(usage->prompt_tokens, prompt);
  EXPECT_EQ(usage->generated_tokens, generated);
}

void expect_none(std::string_view body, Dialect dialect) {
  const PaddedText padded(body, '}');
  EXPECT_FALSE(usage_of_answer(padded.view(), dialect).has_value()) << body;
}

TEST(UsageOfAnswer, is_read_in_every_dialect) {
  expect_usage(R"({"choices":[{"usage":{"prompt_tokens":1}}],"usage":{"prompt_tokens":12,)"
               R"("completion_tokens":3,"total_tokens":15,"completion_tokens_details":{"x":0}}})",
               Dialect::openai_chat, 12, 3);
  expect_usage(R"({"usage":{"prompt_tokens":12,"completion_tokens":3},"stats":{"input_tokens":9}})",
               Dialect::openai_completions, 12, 3);
  expect_usage(R"({"usage":{"input_tokens":5,"output_tokens":6,"total_tokens":11}})",
               Dialect::openai_responses, 5, 6);
  expect_usage(R"({"type":"message","usage":{"input_tokens":5,"output_tokens":6}})",
               Dialect::anthropic, 5, 6);
  expect_usage(
      R"({"output":[],"stats":{"input_tokens":329,"total_output_tokens":268,)"
      R"("reasoning_output_tokens":5,"tokens_per_second":43.7},"usage":{"input_tokens":1}})",
      Dialect::lmstudio_chat, 329, 268);
  expect_usage(R"({"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}})",
               Dialect::openai_embeddings, 8, 0);
}

TEST(UsageOfAnswer, is_absent_when_it_is_zero_or_not_told) {
  expect_none(R"({"data":[],"usage":{"prompt_tokens":0,"total_tokens":0}})",
              Dialect::openai_embeddings);
  expect_none(R"({"usage":null})", Dialect::openai_chat);
  expect_none(R"({"usage":{"prompt_tokens":-1,"completion_tokens":"3"}})", Dialect::openai_chat);
  expect_none(R"({"choices":[]})", Dialect::openai_chat);
  expect_none(R"({"usage":[1,2]})", Dialect::openai_chat);
}

TEST(UsageOfAnswer, is_not_believed_when_a_count_is_absurd) {
  for (const std::string_view count : {"-3", "-1e3", "1.5", "1000000001", "9007199254740993",
                                       "18446744073709551615", "99999999999999999999"}) {
    const auto count_text = std::string(count);
    expect_none(R"({"usage":{"prompt_tokens":12,"completion_tokens":)" + count_text + "}}",
                Dialect::openai_chat);
    expect_none(R"({"usage":{"prompt_tokens":)" + count_text + R"(,"completion_tokens":3}})",
                Dialect::openai_chat);
  }
  expect_usage(R"({"usage":{"prompt_tokens":1000000000,"completion_tokens":3}})",
               Dialect::openai_chat, 1'000'000'000, 3);
  expect_usage(R"({"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":-1}})",
               Dialect::openai_chat, 12, 3);
}

TEST(Usage, of_more_tokens_than_the_answer_has_room_for_is_not_believable) {
  EXPECT_TRUE(believable(Usage{1'000'000, 30'000}, 8'000));
  EXPECT_TRUE(believable(Usage{0, 1'000}, 0));
  EXPECT_FALSE(believable(Usage{0, 40'000}, 8'000));
  EXPECT_FALSE(believable(Usage{0, ~std::uint64_t{0}}, 8'000));
}

TEST(UsageOfAnswer, is_not_taken_from_text_that_looks_like_it) {
  expect_none(R"({"choices":[{"text":"\"usage\":{\"prompt_tokens\":1}"}]})", Dialect::openai_chat);
  expect_none(R"({"model":"usage","x":{"prompt_tokens":1}})", Dialect::openai_chat);
  expect_usage(R"({"usage" : {"prompt_tokens":4}, "model":"usage"})", Dialect::openai_chat, 4, 0);
}

TEST(UsageOfAnswer, is_absent_when_its_object_is_broken) {
  for (const std::string_view body :
       {"", "[]", "null", "<html>", R"({"usage":{"prompt_tokens":1,"completion_tokens":2)",
        R"({"usage":{"prompt_tokens":1]})", R"({"usage":{"prompt_tokens":1)", R"({"usage":)",
        R"({"usage")", R"("usage")"}) {
    expect_none(body, Dialect::openai_chat);
  }
}

std::string id_of(std::string_view body, Dialect dialect) {
  const PaddedText padded(body, '}');
  return response_id_of_answer(padded.view(), dialect);
}

TEST(ResponseIdOfAnswer, is_what_a_later_request_can_name) {
  EXPECT_EQ(id_of(R"({"id":"resp_1","output":[{"id":"msg_1"}]})", Dialect::openai_responses),
            "resp_1");
  EXPECT_EQ(id_of(R"({"output":[{"id":"msg_1"}],"id":"resp_\u0031"})", Dialect::openai_responses),
            "resp_1");
  EXPECT_EQ(id_of(R"({"model_instance_id":"m","response_id":"resp_2"})", Dialect::lmstudio_chat),
            "resp_2");
}

TEST(ResponseIdOfAnswer, is_empty_where_there_is_none) {
  EXPECT_EQ(id_of(R"({"id":"chatcmpl-1"})", Dialect::openai_chat), "");
  EXPECT_EQ(id_of(R"({"id":"msg_1"})", Dialect::anthropic), "");
  EXPECT_EQ(id_of(R"({"id":"x"})", Dialect::lmstudio_chat), "") << "not stored";
  EXPECT_EQ(id_of(R"({"id":7})", Dialect::openai_responses), "");
  EXPECT_EQ(id_of(R"({"id":"resp_1")", Dialect::openai_responses), "") << "cut";
}

}  // namespace
}  // namespace lmb::protocol
