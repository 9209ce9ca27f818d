#include "lmb/protocol/sse_scanner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

std::string event(std::string_view data) {
  return "data: " + std::string(data) + "\n\n";
}

std::string named(std::string_view name, std::string_view data) {
  return "event: " + std::string(name) + "\n" + event(data);
}

std::string chunk(std::string_view delta, std::string_view finish = "null") {
  return event(R"({"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":)" +
               std::string(delta) + R"(,"logprobs":null,"finish_reason":)" + std::string(finish) +
               "}]}");
}

bool is_token(std::string_view text, Dialect dialect = Dialect::openai_chat) {
  // Once as the first event of a stream, once after many: both ways of looking must agree.
  SseScanner fresh(dialect);
  const std::uint32_t first = fresh.observe(text).token_deltas;
  SseScanner warm(dialect);
  for (int i = 0; i < 3; ++i) warm.observe(chunk(R"({"role":"assistant","content":"warm"})"));
  EXPECT_EQ(warm.observe(text).token_deltas, first) << text;
  EXPECT_EQ(fresh.observe(text).token_deltas, first) << "the second time: " << text;
  return first == 1;
}

TEST(SseTokens, are_content_reasoning_and_tools_of_chat) {
  EXPECT_TRUE(is_token(chunk(R"({"role":"assistant","content":"Hi"})")));
  EXPECT_TRUE(is_token(chunk(R"({"content":" "})")));
  EXPECT_TRUE(is_token(chunk(R"({ "content" : "\n" })")));
  EXPECT_TRUE(is_token(chunk(R"({"reasoning_content":"hm"})")));
  EXPECT_TRUE(is_token(chunk(R"({"content":null,"reasoning":"hm"})")));
  EXPECT_TRUE(is_token(
      chunk(R"({"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":""}}]})")));
  EXPECT_TRUE(is_token(chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a"}}]})")));
  EXPECT_TRUE(is_token(chunk(R"({"content":"last"})", R"("stop")")));
}

TEST(SseTokens, are_not_role_only_or_empty_chunks) {
  EXPECT_FALSE(is_token(chunk(R"({"role":"assistant"})")));
  EXPECT_FALSE(is_token(chunk(R"({"role":"assistant","content":""})")));
  EXPECT_FALSE(is_token(chunk(R"({"role":"assistant","content":null,"tool_calls":[]})")));
  EXPECT_FALSE(is_token(chunk("{}", R"("stop")")));
  EXPECT_FALSE(is_token(chunk("null")));
  EXPECT_FALSE(is_token(chunk(R"({"content":["x"]})")));
  EXPECT_FALSE(
      is_token(event(R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})")));
  EXPECT_FALSE(is_token(event(R"({"delta":{"content":"not in a choice"}})")));
  EXPECT_FALSE(is_token(event("[DONE]")));
}

TEST(SseTokens, are_not_found_in_data_that_is_no_object) {
  for (const std::string_view data :
       {"", "x", "[]", "\"content\"", R"({"choices":[{"delta":{"content":"Hi"}}])",
        R"({"choices":[{"delta":{"content":"Hi"}]}})",
        R"({"choices":[{"delta":{"content":"Hi"}}]} x)"}) {
    EXPECT_FALSE(is_token(event(data))) << data;
  }
}

TEST(SseTokens, are_texts_of_completions) {
  const Dialect dialect = Dialect::openai_completions;
  EXPECT_TRUE(
      is_token(event(R"({"choices":[{"index":0,"text":" x","finish_reason":null}]})"), dialect));
  EXPECT_FALSE(
      is_token(event(R"({"choices":[{"index":0,"text":"","finish_reason":"stop"}]})"), dialect));
}

TEST(SseTokens, are_the_deltas_of_responses) {
  const Dialect dialect = Dialect::openai_responses;
  for (const std::string type :
       {"response.output_text.delta", "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta", "response.function_call_arguments.delta"}) {
    EXPECT_TRUE(is_token(
        named(type, R"({"type":")" + type + R"(","delta":"a","sequence_number":4})"), dialect))
        << type;
    EXPECT_TRUE(is_token(named(type, R"({"delta":"a"})"), dialect)) << type;
    EXPECT_FALSE(is_token(named(type, R"({"type":")" + type + R"(","delta":""})"), dialect))
        << type;
  }
  EXPECT_FALSE(is_token(
      named("response.output_text.done", R"({"type":"response.output_text.done","text":"all"})"),
      dialect));
  EXPECT_FALSE(
      is_token(named("response.created", R"({"type":"response.created","response":{}})"), dialect));
}

TEST(SseTokens, are_not_deltas_of_events_with_other_types) {
  for (const std::string type : {"response.x.done", "x.delta", "response.created"}) {
    EXPECT_FALSE(is_token(named(type, R"({"type":")" + type + R"(","delta":"a"})"),
                          Dialect::openai_responses))
        << type;
  }
}

TEST(SseTokens, are_the_content_deltas_of_anthropic) {
  const Dialect dialect = Dialect::anthropic;
  for (const std::string delta :
       {R"({"type":"text_delta","text":"a"})", R"({"type":"thinking_delta","thinking":"a"})",
        R"({"type":"input_json_delta","partial_json":"{"})"}) {
    EXPECT_TRUE(is_token(named("content_block_delta",
                               R"({"type":"content_block_delta","index":0,"delta":)" + delta + "}"),
                         dialect))
        << delta;
  }
  EXPECT_FALSE(
      is_token(named("content_block_delta",
                     R"({"type":"content_block_delta","delta":{"type":"text_delta","text":""}})"),
               dialect));
  EXPECT_FALSE(is_token(named("content_block_start",
                              R"({"type":"content_block_start","content_block":{"text":"a"}})"),
                        dialect));
  EXPECT_FALSE(is_token(named("ping", R"({"type":"ping"})"), dialect));
}

TEST(SseTokens, are_the_deltas_of_lm_studios_chat) {
  const Dialect dialect = Dialect::lmstudio_chat;
  EXPECT_TRUE(
      is_token(named("message.delta", R"({"type":"message.delta","content":"a"})"), dialect));
  EXPECT_TRUE(
      is_token(named("reasoning.delta", R"({"type":"reasoning.delta","content":"a"})"), dialect));
  EXPECT_TRUE(
      is_token(named("tool_call.start", R"({"type":"tool_call.start","tool":"t"})"), dialect));
  EXPECT_FALSE(
      is_token(named("message.delta", R"({"type":"message.delta","content":""})"), dialect));
  EXPECT_FALSE(is_token(named("message.start", R"({"type":"message.start"})"), dialect));
  EXPECT_FALSE(is_token(named("prompt_processing.progress",
                              R"({"type":"prompt_processing.progress","progress":0.5})"),
                        dialect));
}

TEST(SseUsage, is_read_from_chats_last_chunk) {
  SseScanner scanner;
  scanner.observe(event(R"({"choices":[],"usage":null})"));
  EXPECT_FALSE(scanner.usage().has_value());
  scanner.observe(event(R"({"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}})"));
  EXPECT_FALSE(scanner.usage().has_value());
  scanner.observe(event(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}})"));
  ASSERT_TRUE(scanner.usage().has_value());
  EXPECT_EQ(scanner.usage()->prompt_tokens, 12U);
  EXPECT_EQ(scanner.usage()->generated_tokens, 3U);
}

TEST(SseUsage, is_not_believed_once_a_count_was_absurd) {
  SseScanner scanner;
  scanner.observe(event(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}})"));
  ASSERT_TRUE(scanner.usage().has_value());
  scanner.observe(event(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":-1}})"));
  EXPECT_FALSE(scanner.usage().has_value());
  scanner.observe(event(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":4}})"));
  EXPECT_FALSE(scanner.usage().has_value());
  SseScanner anthropic(Dialect::anthropic);
  anthropic.observe(named("message_start", R"({"type":"message_start","message":{"usage":)"
                                           R"({"input_tokens":99999999999999}}})"));
  anthropic.observe(
      named("message_delta", R"({"type":"message_delta","delta":{},"usage":{"output_tokens":6}})"));
  EXPECT_FALSE(anthropic.usage().has_value());
}

TEST(SseUsage, is_seen_after_any_number_of_like_events) {
  SseScanner scanner;
  for (int i = 0; i < 5; ++i) scanner.observe(chunk(R"({"content":"a"})"));
  scanner.observe(event(R"({"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,)"
                        R"("completion_tokens":6}})"));
  EXPECT_EQ(scanner.usage()->generated_tokens, 6U);
  EXPECT_EQ(scanner.token_deltas(), 6U);
}

TEST(SseUsage, is_read_from_the_completed_response) {
  SseScanner scanner(Dialect::openai_responses);
  const auto seen = scanner.observe(
      named("response.completed",
            R"({"type":"response.completed","response":{"error":null,"usage":{"input_tokens":7,)"
            R"("output_tokens":8}}})"));
  EXPECT_TRUE(seen.finished);
  EXPECT_FALSE(seen.error);
  EXPECT_TRUE(scanner.saw_finish_reason());
  EXPECT_EQ(scanner.usage()->prompt_tokens, 7U);
  EXPECT_EQ(scanner.usage()->generated_tokens, 8U);
}

TEST(SseUsage, is_put_together_from_two_events_of_anthropic) {
  SseScanner scanner(Dialect::anthropic);
  scanner.observe(named("message_start", R"({"type":"message_start","message":{"usage":{)"
                                         R"("input_tokens":25,"output_tokens":1}}})"));
  EXPECT_FALSE(scanner.usage().has_value()) << "what was generated is not known yet";
  scanner.observe(named("message_delta",
                        R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},)"
                        R"("usage":{"output_tokens":15}})"));
  EXPECT_TRUE(scanner.saw_finish_reason());
  EXPECT_FALSE(scanner.saw_finish());
  scanner.observe(named("message_stop", R"({"type":"message_stop"})"));
  EXPECT_TRUE(scanner.saw_finish());
  EXPECT_EQ(scanner.usage()->prompt_tokens, 25U);
  EXPECT_EQ(scanner.usage()->generated_tokens, 15U);
}

TEST(SseUsage, of_anthropics_last_event_wins_over_that_of_the_first) {
  SseScanner scanner(Dialect::anthropic);
  scanner.observe(named("message_start",
                        R"({"type":"message_start","message":{"usage":{"input_tokens":25}}})"));
  scanner.observe(named("message_delta", R"({"type":"message_delta","message":{"usage":{)"
                                         R"("input_tokens":9}},"usage":{"input_tokens":26,)"
                                         R"("output_tokens":15}})"));
  EXPECT_EQ(scanner.usage()->prompt_tokens, 26U);
}

TEST(SseUsage, is_read_from_the_end_of_lm_studios_chat) {
  SseScanner scanner(Dialect::lmstudio_chat);
  scanner.observe(named("chat.end", R"({"type":"chat.end","result":{"output":[],"stats":{)"
                                    R"("input_tokens":329,"total_output_tokens":268}}})"));
  EXPECT_TRUE(scanner.saw_finish());
  EXPECT_EQ(scanner.usage()->prompt_tokens, 329U);
  EXPECT_EQ(scanner.usage()->generated_tokens, 268U);
}

TEST(SseErrors, are_seen_by_key_or_by_name) {
  const auto message = [](std::string_view text, Dialect dialect = Dialect::openai_chat) {
    SseScanner scanner(dialect);
    const auto seen = scanner.observe(text);
    EXPECT_TRUE(seen.error) << text;
    EXPECT_TRUE(scanner.saw_error());
    EXPECT_EQ(seen.events, 1U);
    return scanner.error_message();
  };
  EXPECT_EQ(message(event(R"({"error":{"message":"Compute error."},"message":"Compute error."})")),
            "Compute error.");
  EXPECT_EQ(message(event(R"({"error":"Model is \"unloaded\"."})")), "Model is \"unloaded\".");
  EXPECT_EQ(message(named("error", R"({"error":{"message":"x"}})")), "x");
  EXPECT_EQ(message(named("error", R"({"message":"x"})")), "x");
  EXPECT_EQ(message(named("error", "not json")), "not json");
  EXPECT_EQ(message("event: error\n\n"), "");
  EXPECT_EQ(
      message(event(R"({"type":"error","code":"c","message":"x"})"), Dialect::openai_responses),
      "x");
  EXPECT_EQ(message(event(R"({"type":"response.failed","response":{"error":{"message":"x"}}})"),
                    Dialect::openai_responses),
            "x");
  EXPECT_EQ(message(event(R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})"),
                    Dialect::anthropic),
            "x");
  EXPECT_EQ(message(named("error", R"({"type":"error","error":{"type":"unknown","message":"x"}})"),
                    Dialect::lmstudio_chat),
            "x");
}

TEST(SseErrors, are_not_seen_where_there_are_none) {
  for (const std::string_view text :
       {R"({"error":null,"choices":[]})", R"({"error":false})", R"({"error":""})",
        R"({"choices":[{"delta":{"content":"{\"error\":\"x\"}"}}]})", R"({"type":"error"})",
        R"({"choices":[{"error":"in a choice"}]})"}) {
    SseScanner scanner;
    EXPECT_FALSE(scanner.observe(event(text)).error) << text;
    EXPECT_EQ(scanner.error_message(), "");
  }
}

TEST(SseErrors, are_seen_after_any_number_of_like_events) {
  SseScanner scanner;
  for (int i = 0; i < 5; ++i) scanner.observe(chunk(R"({"content":"a"})"));
  EXPECT_TRUE(scanner.observe(event(R"({"error":"first"})")).error);
  EXPECT_TRUE(scanner.observe(event(R"({"error":"second"})")).error);
  EXPECT_EQ(scanner.error_message(), "first");
}

TEST(SseErrors, keep_512_bytes_of_their_message_and_whole_characters) {
  std::string long_message(511, 'a');
  long_message += "\xC3\xA9 and more";
  SseScanner scanner;
  scanner.observe(event("{\"error\":\"" + long_message + "\"}"));
  EXPECT_EQ(scanner.error_message(), std::string(511, 'a'));
}

TEST(SseEnd, is_told_by_done_and_by_a_finish_reason) {
  SseScanner scanner;
  scanner.observe(chunk(R"({"content":"a"})"));
  EXPECT_FALSE(scanner.saw_finish_reason());
  scanner.observe(chunk("{}", R"("length")"));
  EXPECT_TRUE(scanner.saw_finish_reason());
  EXPECT_FALSE(scanner.saw_finish());
  const auto seen = scanner.observe("data: [DONE]\n\n");
  EXPECT_TRUE(seen.finished);
  EXPECT_EQ(seen.events, 1U);
  EXPECT_TRUE(scanner.saw_finish());
  SseScanner odd;
  EXPECT_TRUE(odd.observe("data: [DONE] \n\n").finished) << "as OpenAI's SDKs take it";
}

TEST(SseEnd, is_seen_in_an_event_that_is_like_a_token_but_for_its_reason) {
  SseScanner scanner;
  for (int i = 0; i < 5; ++i) scanner.observe(chunk(R"({"content":"a"})"));
  scanner.observe(chunk(R"({"content":"a"})", R"("stop")"));
  EXPECT_TRUE(scanner.saw_finish_reason());
  EXPECT_EQ(scanner.token_deltas(), 6U);
}

TEST(SseResponseId, is_told_by_the_first_event_that_has_it) {
  SseScanner responses(Dialect::openai_responses);
  responses.observe(named("response.created", R"({"type":"response.created","response":)"
                                              R"({"id":"resp_1","output":[{"id":"x"}]}})"));
  EXPECT_EQ(responses.response_id(), "resp_1");
  responses.observe(
      named("response.completed", R"({"type":"response.completed","response":{"id":"other"}})"));
  EXPECT_EQ(responses.response_id(), "resp_1");

  SseScanner chat(Dialect::lmstudio_chat);
  chat.observe(named("message.delta", R"({"type":"message.delta","content":"a"})"));
  EXPECT_EQ(chat.response_id(), "");
  chat.observe(
      named("chat.end", R"({"type":"chat.end","result":{"response_id":"resp_2","stats":{}}})"));
  EXPECT_EQ(chat.response_id(), "resp_2");
}

}  // namespace
}  // namespace lmb::protocol
