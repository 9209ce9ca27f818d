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
  const auto* problem = std::get_if<Problem>(&parsed);
  EXPECT_NE(problem, nullptr) << body;
  if (problem == nullptr) return "";
  const Refusal refusal = refusal_of(*problem, Dialect::openai);
  EXPECT_EQ(refusal.status, 400u);
  return refusal.body;
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
  EXPECT_TRUE(std::holds_alternative<Problem>(parse_completion(R"({"model":"m"})")));
  EXPECT_EQ(std::get<EmbeddingRequest>(parse_embedding(R"({"model":"m","input":"a"})")).inputs,
            std::vector<std::string>{"a"});
  EXPECT_EQ(
      std::get<EmbeddingRequest>(parse_embedding(R"({"model":"m","input":["a","b"]})")).inputs,
      (std::vector<std::string>{"a", "b"}));
  for (const char* body : {R"({"model":"m"})", R"({"model":"m","input":[]})",
                           R"({"model":"m","input":[1]})", R"({"model":"m","input":7})"}) {
    EXPECT_TRUE(std::holds_alternative<Problem>(parse_embedding(body))) << body;
  }
}

TEST(GenerationRequest, reads_the_ttl_of_a_load) {
  const auto with_ttl = [](const std::string& ttl) {
    return chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],"ttl":)" + ttl + "}")
        .ttl;
  };
  EXPECT_EQ(with_ttl("300"), Duration(std::chrono::seconds(300)));
  EXPECT_EQ(with_ttl("0.5"), Duration(std::chrono::milliseconds(500)));
  EXPECT_EQ(with_ttl("-1"), Duration::zero());
  EXPECT_EQ(with_ttl("\"x\""), std::nullopt);
  EXPECT_EQ(with_ttl("null"), std::nullopt);
}

/// The prompt and its tokens, or the problem in the dialect's words.
std::string read(const OrProblem<GenerationRequest>& parsed, Dialect dialect) {
  if (const auto* problem = std::get_if<Problem>(&parsed))
    return refusal_of(*problem, dialect).body;
  const auto& request = std::get<GenerationRequest>(parsed);
  return request.prompt + std::to_string(request.prompt_tokens);
}

TEST(DialectRequests, responses_take_a_string_or_items) {
  const auto parsed = [](std::string_view body) {
    return read(parse_responses(body), Dialect::responses);
  };
  EXPECT_EQ(parsed(R"({"model":"m","input":"abcd","instructions":"efgh"})"),
            "system\nefgh\nuser\nabcd\n2");
  EXPECT_EQ(parsed(R"({"model":"m","input":[
      {"role":"assistant","content":[{"type":"output_text","text":"ab"}]},
      {"type":"function_call_output","call_id":"1","output":"cd"},{"role":7}]})"),
            "assistant\nab\nuser\ncd\nuser\n\n1");
  for (const char* body :
       {R"({"model":"m"})", R"({"model":"m","input":[]})", R"({"model":"m","input":[1]})",
        R"({"model":"m","input":7})", R"({"model":"m","input":"x","instructions":7})",
        R"({"model":"m","input":"x","previous_response_id":7})",
        R"({"model":"m","input":"x","max_output_tokens":"x"})"}) {
    EXPECT_NE(parsed(body).find(R"("type":"invalid_request_error")"), std::string::npos) << body;
  }
}

TEST(DialectRequests, responses_may_go_on_with_another_and_be_stored_or_not) {
  const auto parsed = parse_responses(
      R"({"model":"m","input":"x","previous_response_id":"resp_1","store":false,
          "max_output_tokens":9,"stream":true})");
  const auto& request = std::get<GenerationRequest>(parsed);
  EXPECT_EQ(request.previous_response_id, "resp_1");
  EXPECT_FALSE(request.store);
  EXPECT_EQ(request.max_tokens, 9u);
  EXPECT_TRUE(request.stream);
  const auto plain = parse_responses(R"({"model":"m","input":"x"})");
  EXPECT_TRUE(std::get<GenerationRequest>(plain).store);
}

TEST(DialectRequests, messages_may_have_a_system_prompt) {
  const auto parsed = [](std::string_view body) {
    return read(parse_messages(body), Dialect::anthropic);
  };
  EXPECT_EQ(parsed(R"({"model":"m","max_tokens":5,"system":[{"type":"text","text":"be"}],
                       "messages":[{"role":"user","content":"hi"}]})"),
            "system\nbe\nuser\nhi\n1");
  EXPECT_EQ(parsed(R"({"model":"m"})"),
            R"({"type":"error","error":{"type":"invalid_request_error",)"
            R"("message":"'messages' field is required"}})");
  EXPECT_NE(parsed(R"({"model":"m","system":7,"messages":[]})").find("'system'"),
            std::string::npos);
}

TEST(DialectRequests, the_native_chat_takes_texts_images_and_integrations) {
  const auto parsed = parse_native_chat(
      R"({"model":"m","system_prompt":"be","context_length":4096,"reasoning":"off",
          "input":[{"type":"text","content":"hi"},{"type":"image","data_url":"data:,"}],
          "integrations":["mcp/a",{"type":"plugin","id":"b"},
                          {"type":"ephemeral_mcp","server_label":"hf","server_url":"u"}]})");
  const auto& request = std::get<GenerationRequest>(parsed);
  EXPECT_EQ(request.prompt, "system\nbe\nuser\nhi\n");
  EXPECT_EQ(request.context_length, 4096u);
  EXPECT_EQ(request.reasoning, false);
  ASSERT_EQ(request.integrations.size(), 3u);
  EXPECT_EQ(request.integrations[0].label, "mcp/a");
  EXPECT_EQ(request.integrations[1].label, "b");
  EXPECT_TRUE(request.integrations[1].plugin);
  EXPECT_EQ(request.integrations[2].label, "hf");
  EXPECT_FALSE(request.integrations[2].plugin);
  EXPECT_EQ(read(parse_native_chat(R"({"input":"x"})"), Dialect::native),
            R"({"error":{"type":"invalid_request","message":"\"model\" is required",)"
            R"("code":"missing_required_parameter","param":"model"}})");
  for (const char* body :
       {R"({"model":"m"})", R"({"model":"m","input":7})", R"({"model":"m","input":[]})",
        R"({"model":"m","input":["x"]})", R"({"model":"m","input":"x","reasoning":7})",
        R"({"model":"m","input":"x","integrations":"a"})",
        R"({"model":"m","input":"x","integrations":[{}]})"}) {
    EXPECT_TRUE(std::holds_alternative<Problem>(parse_native_chat(body))) << body;
  }
}

}  // namespace
}  // namespace lmb::sim
