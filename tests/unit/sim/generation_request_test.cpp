#include "generation_request.hpp"

#include <gtest/gtest.h>

namespace lmb::sim {
namespace {

GenerationRequest chat(std::string_view body) {
  auto parsed = parse_chat(body);
  EXPECT_TRUE(std::holds_alternative<GenerationRequest>(parsed)) << body;
  auto* request = std::get_if<GenerationRequest>(&parsed);
  return request != nullptr ? *request : GenerationRequest();
}

std::string refused(std::string_view body) {
  auto parsed = parse_chat(body);
  const auto* refusal = std::get_if<Refusal>(&parsed);
  EXPECT_NE(refusal, nullptr) << body;
  if (refusal == nullptr) return "";
  EXPECT_EQ(refusal->status, 400u);
  return refusal->body;
}

TEST(GenerationRequest, reads_what_matters) {
  const auto request = chat(
      R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":7,
          "messages":[{"role":"system","content":"abcd"},
                      {"role":"user","content":[{"type":"text","text":"efgh"},{"type":"image_url"}]},
                      {"role":"assistant","content":null}]})");
  EXPECT_EQ(request.model, "m");
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.max_tokens, 7u);
  EXPECT_EQ(request.prompt_tokens, 2u);
  EXPECT_EQ(request.prompt, "system\nabcd\nuser\nefgh\nassistant\n\n");
}

TEST(GenerationRequest, minus_one_token_means_unlimited) {
  const auto request =
      chat(R"({"model":"m","max_tokens":-1,"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(request.max_tokens, 0u);
  EXPECT_FALSE(request.stream);
  EXPECT_FALSE(request.include_usage);
}

TEST(GenerationRequest, refuses_broken_bodies) {
  for (const char* body :
       {"", "{", "[]", "\"x\"", "null", R"({"messages":[]})", R"({"model":1,"messages":[]})",
        R"({"model":"m"})", R"({"model":"m","messages":{}})", R"({"model":"m","messages":[]})",
        R"({"model":"m","messages":["x"]})", R"({"model":"m","messages":[{"role":1}]})",
        R"({"model":"m","messages":[{"role":"user","content":5}]})",
        R"({"model":"m","max_tokens":"x","messages":[{"role":"user","content":"x"}]})"}) {
    EXPECT_TRUE(refused(body).starts_with(R"({"error":")")) << body << " -> " << refused(body);
  }
}

TEST(GenerationRequest, reads_prompts_and_inputs) {
  const auto completion = parse_completion(R"({"model":"m","prompt":"abcdefgh"})");
  EXPECT_EQ(std::get<GenerationRequest>(completion).prompt_tokens, 2u);
  EXPECT_TRUE(std::holds_alternative<Refusal>(parse_completion(R"({"model":"m"})")));
  EXPECT_EQ(std::get<EmbeddingRequest>(parse_embedding(R"({"model":"m","input":"a"})")).inputs,
            std::vector<std::string>{"a"});
  EXPECT_EQ(
      std::get<EmbeddingRequest>(parse_embedding(R"({"model":"m","input":["a","b"]})")).inputs,
      (std::vector<std::string>{"a", "b"}));
  for (const char* body : {R"({"model":"m"})", R"({"model":"m","input":[]})",
                           R"({"model":"m","input":[1]})", R"({"model":"m","input":7})"}) {
    EXPECT_TRUE(std::holds_alternative<Refusal>(parse_embedding(body))) << body;
  }
}

TEST(GenerationRequest, a_name_that_is_not_utf_8_can_be_refused_too) {
  EXPECT_NE(unknown_model("\xff\xfe", {"a", "b"}).body.find("(e.g., a, b)"), std::string::npos);
}

}  // namespace
}  // namespace lmb::sim
