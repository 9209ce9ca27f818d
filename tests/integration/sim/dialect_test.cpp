#include <gtest/gtest.h>

#include "lmb/protocol/sse_scanner.hpp"
#include "lmb/sim/worker.hpp"
#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

/// /v1/responses, /v1/messages and /api/v1/chat, whole and streamed.
class DialectTest : public WorkerTest {
 protected:
  static json input(const std::string& text, bool stream = false) {
    return {{"model", llm}, {"input", text}, {"stream", stream}};
  }
  /// The `event:` lines of a stream, in order; of equal ones in a row the first only.
  static std::vector<std::string> names_of(const std::string& text) {
    std::vector<std::string> out;
    for (auto at = text.find("event: "); at != std::string::npos; at = text.find("event: ", at)) {
      at += 7;
      const std::string name = text.substr(at, text.find('\n', at) - at);
      if (out.empty() || out.back() != name) out.push_back(name);
    }
    return out;
  }
  /// Every event's name is also its `type`.
  static void expect_types_match(const std::string& text) {
    std::vector<std::string> out;
    for (const json& event : events_of(text)) {
      const std::string type = event["type"];
      if (out.empty() || out.back() != type) out.push_back(type);
    }
    EXPECT_EQ(names_of(text), out);
  }
  /// The texts of all deltas of one type.
  static std::string joined(const std::string& text, const std::string& type,
                            const json::json_pointer& where) {
    std::string out;
    for (const json& event : events_of(text)) {
      if (event["type"] == type) out += event.at(where).get<std::string>();
    }
    return out;
  }
  json post_json(const std::string& path, const json& body) {
    const auto answer = post(path, body.dump());
    EXPECT_EQ(answer.status, 200u) << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
};

TEST_F(DialectTest, responses_are_streamed_with_named_events) {
  start();
  const json body = input("Hello", true);
  const std::string text = post("/v1/responses", body.dump()).body;
  EXPECT_EQ(
      names_of(text),
      (std::vector<std::string>{
          "response.created", "response.in_progress", "response.output_item.added",
          "response.content_part.added", "response.output_text.delta", "response.output_text.done",
          "response.content_part.done", "response.output_item.done", "response.completed"}));
  expect_types_match(text);
  EXPECT_EQ(text.find("[DONE]"), std::string::npos);
  const auto events = events_of(text);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i]["sequence_number"], i);
  const json whole = post_json("/v1/responses", input("Hello"));
  EXPECT_EQ(whole["object"], "response");
  EXPECT_EQ(whole["status"], "completed");
  EXPECT_EQ(whole["model"], llm);
  EXPECT_TRUE(whole["id"].get<std::string>().starts_with("resp_"));
  ASSERT_EQ(whole["output"].size(), 1u);
  const std::string said = whole["output"][0]["content"][0]["text"];
  EXPECT_EQ(joined(text, "response.output_text.delta", json::json_pointer("/delta")), said);
  EXPECT_EQ(events.back()["response"]["output"][0]["content"][0]["text"], said);
  EXPECT_EQ(whole["usage"]["input_tokens"], 2);
  const int tokens = whole["usage"]["output_tokens"];
  EXPECT_EQ(whole["usage"]["total_tokens"], tokens + 2);
  EXPECT_EQ(events.back()["response"]["usage"]["output_tokens"], tokens);
}

TEST_F(DialectTest, messages_are_streamed_as_anthropic_does) {
  start();
  json body = json::parse(chat(true, 12));
  const std::string text = post("/v1/messages", body.dump()).body;
  EXPECT_EQ(names_of(text),
            (std::vector<std::string>{"message_start", "content_block_start", "content_block_delta",
                                      "content_block_stop", "message_delta", "message_stop"}));
  expect_types_match(text);
  const auto events = events_of(text);
  EXPECT_EQ(events[0]["message"]["usage"]["input_tokens"], 2);
  EXPECT_EQ(events[0]["message"]["content"], json::array());
  const json& end = events[events.size() - 2];
  EXPECT_EQ(end["delta"]["stop_reason"], "max_tokens");
  EXPECT_EQ(end["usage"]["output_tokens"], 12);
  body["stream"] = false;
  const json whole = post_json("/v1/messages", body);
  EXPECT_EQ(whole["type"], "message");
  EXPECT_EQ(whole["role"], "assistant");
  EXPECT_EQ(whole["stop_reason"], "max_tokens");
  EXPECT_EQ(whole["usage"]["output_tokens"], 12);
  EXPECT_EQ(whole["content"][0]["text"],
            joined(text, "content_block_delta", json::json_pointer("/delta/text")));
}

TEST_F(DialectTest, the_native_chat_tells_of_load_prompt_and_message) {
  WorkerOptions options = fast();
  options.models = {ModelOptions{*find_preset("m2-ultra-8b"), 0, false}};
  options.models[0].load_time = std::chrono::seconds(500);
  start(options);
  const json body = {{"model", "meta-llama-3-8b-instruct"},
                     {"input", std::string(5000 * 4, 'x')},
                     {"stream", true}};
  const std::string cold = post("/api/v1/chat", body.dump()).body;
  EXPECT_EQ(names_of(cold),
            (std::vector<std::string>{
                "chat.start", "model_load.start", "model_load.progress", "model_load.end",
                "prompt_processing.start", "prompt_processing.progress", "prompt_processing.end",
                "message.start", "message.delta", "message.end", "chat.end"}));
  expect_types_match(cold);
  double progress = 0;
  for (const json& event : events_of(cold)) {
    if (event["type"] == "model_load.end") progress = 0;
    if (!event.contains("progress")) continue;
    EXPECT_GT(event["progress"].get<double>(), progress);
    progress = event["progress"];
    EXPECT_LE(progress, 1);
  }
  EXPECT_EQ(progress, 1);
  const json result = events_of(cold).back()["result"];
  EXPECT_EQ(result["stats"]["model_load_time_seconds"], 500);
  EXPECT_EQ(result["stats"]["input_tokens"], 5000);
  EXPECT_EQ(result["output"][0]["type"], "message");
  EXPECT_EQ(result["output"][0]["content"],
            joined(cold, "message.delta", json::json_pointer("/content")));
  EXPECT_EQ(result["model_instance_id"], "meta-llama-3-8b-instruct");
  EXPECT_TRUE(result["response_id"].get<std::string>().starts_with("resp_"));
  const std::string warm = post("/api/v1/chat", body.dump()).body;
  EXPECT_EQ(names_of(warm)[1], "prompt_processing.start");
  EXPECT_FALSE(events_of(warm).back()["result"]["stats"].contains("model_load_time_seconds"));
}

TEST_F(DialectTest, the_native_chat_answers_whole_with_its_stats) {
  start();
  json body = input("Hello");
  body["max_output_tokens"] = 50;
  body["store"] = false;
  const json answer = post_json("/api/v1/chat", body);
  EXPECT_EQ(answer["model_instance_id"], llm);
  EXPECT_EQ(answer["stats"]["total_output_tokens"], 50);
  EXPECT_EQ(answer["stats"]["reasoning_output_tokens"], 0);
  EXPECT_NEAR(answer["stats"]["time_to_first_token_seconds"].get<double>(), 0.151, 0.01);
  EXPECT_NEAR(answer["stats"]["tokens_per_second"].get<double>(), 106, 20);
  EXPECT_FALSE(answer.contains("response_id"));
}

TEST_F(DialectTest, integrations_are_called_before_the_message) {
  start();
  json body = input("Hello", true);
  body["integrations"] = {"mcp/search",
                          {{"type", "ephemeral_mcp"}, {"server_label", "hf"}, {"server_url", "u"}}};
  const std::string text = post("/api/v1/chat", body.dump()).body;
  const auto names = names_of(text);
  EXPECT_EQ((std::vector<std::string>(names.begin() + 4, names.begin() + 11)),
            (std::vector<std::string>{"tool_call.start", "tool_call.arguments", "tool_call.success",
                                      "tool_call.start", "tool_call.arguments", "tool_call.success",
                                      "message.start"}));
  const json output = events_of(text).back()["result"]["output"];
  EXPECT_EQ(output[0]["type"], "tool_call");
  EXPECT_EQ(output[0]["provider_info"]["plugin_id"], "mcp/search");
  EXPECT_EQ(output[1]["provider_info"], json({{"type", "ephemeral_mcp"}, {"server_label", "hf"}}));
}

TEST_F(DialectTest, reasoning_comes_first_and_on_its_own) {
  WorkerOptions options = fast();
  options.reasoning_tokens = 7;
  start(options);
  const auto chat_events = events_of(post("/v1/chat/completions", chat(true, 10)).body);
  ASSERT_EQ(chat_events.size(), 11u);
  for (std::size_t i = 0; i < 10; ++i) {
    const json& delta = chat_events[i]["choices"][0]["delta"];
    EXPECT_EQ(delta.contains("reasoning_content"), i < 7);
    EXPECT_EQ(delta.contains("content"), i >= 7);
  }
  const json whole = post_json("/v1/chat/completions", json::parse(chat(false, 10)));
  EXPECT_EQ(whole["usage"]["completion_tokens_details"]["reasoning_tokens"], 7);
  EXPECT_FALSE(whole["choices"][0]["message"]["reasoning_content"].get<std::string>().empty());
  const std::string native = post("/api/v1/chat", input("Hello", true).dump()).body;
  const auto names = names_of(native);
  EXPECT_EQ((std::vector<std::string>(names.begin() + 4, names.begin() + 8)),
            (std::vector<std::string>{"reasoning.start", "reasoning.delta", "reasoning.end",
                                      "message.start"}));
  json off = input("Hello", true);
  off["reasoning"] = "off";
  EXPECT_EQ(names_of(post("/api/v1/chat", off.dump()).body)[4], "message.start");
  const std::string responses = post("/v1/responses", input("Hello", true).dump()).body;
  const json output = events_of(responses).back()["response"]["output"];
  EXPECT_EQ(output[0]["type"], "reasoning");
  EXPECT_EQ(output[1]["type"], "message");
  EXPECT_EQ(joined(responses, "response.reasoning_text.delta", json::json_pointer("/delta")),
            output[0]["content"][0]["text"]);
  const json message = post_json("/v1/messages", json::parse(chat(false, 10)));
  EXPECT_EQ(message["content"][0]["type"], "thinking");
  EXPECT_EQ(message["content"][1]["type"], "text");
}

TEST_F(DialectTest, a_conversation_goes_on_where_its_id_is_known) {
  start();
  for (const char* path : {"/v1/responses", "/api/v1/chat"}) {
    const bool native = path == std::string("/api/v1/chat");
    const char* id_field = native ? "response_id" : "id";
    json body = input(std::string(400, 'a'));
    const json first = post_json(path, body);
    body["input"] = "and?";
    const json fresh = post_json(path, body);
    body["previous_response_id"] = first[id_field];
    const json second = post_json(path, body);
    const auto prompt_of = [&](const json& answer) {
      return native ? answer["stats"]["input_tokens"].get<int>()
                    : answer["usage"]["input_tokens"].get<int>();
    };
    EXPECT_EQ(prompt_of(fresh), 1);
    EXPECT_GT(prompt_of(second), 100);
    body["previous_response_id"] = second[id_field];
    EXPECT_GT(prompt_of(post_json(path, body)), prompt_of(second));
    body["previous_response_id"] = "resp_unknown";
    const auto unknown = post(path, body.dump());
    EXPECT_EQ(unknown.status, 400u);
    EXPECT_EQ(json::parse(unknown.body)["error"]["code"], "previous_response_not_found");
    body["store"] = false;
    body.erase("previous_response_id");
    const json forgotten = post_json(path, body);
    body["previous_response_id"] = native ? json("resp_") : forgotten["id"];
    EXPECT_EQ(post(path, body.dump()).status, 400u);
  }
}

TEST_F(DialectTest, a_conversation_does_not_outlive_a_restart) {
  start();
  const json first = post_json("/v1/responses", input("Hello"));
  worker_->restart();
  json body = input("and?");
  body["previous_response_id"] = first["id"];
  EXPECT_EQ(post("/v1/responses", body.dump()).status, 400u);
  EXPECT_EQ(post("/v1/responses", input("Hello").dump()).status, 200u);
}

TEST_F(DialectTest, errors_inside_a_stream_speak_the_dialect) {
  start();
  const auto broken = [&](const char* path, const std::string& body, const char* fault) {
    http::FetchRequest request("POST", path, "mac:1234");
    request.fields.emplace_back("x-sim-fault", fault);
    request.fields.emplace_back("x-sim-error", "channel_error");
    request.body = body;
    const auto answer = fetch(std::move(request));
    EXPECT_EQ(answer.status, 200u);
    return answer.body;
  };
  const std::string stream = input("Hello", true).dump();
  const std::string response = broken("/v1/responses", stream, "error_in_stream");
  EXPECT_EQ(names_of(response), std::vector<std::string>{"error"});
  EXPECT_EQ(events_of(response)[0]["message"], "Channel Error");
  const std::string message = broken("/v1/messages", chat(true), "error_mid_stream");
  EXPECT_EQ(names_of(message).back(), "error");
  EXPECT_EQ(events_of(message).back()["error"]["message"], "Channel Error");
  const std::string native = broken("/api/v1/chat", stream, "error_mid_stream");
  const auto names = names_of(native);
  ASSERT_GE(names.size(), 2u);
  EXPECT_EQ(names[names.size() - 2], "error");
  EXPECT_EQ(names.back(), "chat.end");  // It comes after an error too.
  const std::string chats = broken("/v1/chat/completions", chat(true), "error_in_stream");
  EXPECT_EQ(events_of(chats)[0]["error"]["message"], "Channel Error");
}

TEST_F(DialectTest, what_the_balancer_reads_of_a_stream_is_what_was_sent) {
  start();
  using protocol::Dialect;
  const std::string body = input("Hello", true).dump();
  for (const auto& [path, dialect, sent] :
       {std::tuple("/v1/responses", Dialect::openai_responses, body),
        std::tuple("/v1/messages", Dialect::anthropic, chat(true, -1)),
        std::tuple("/api/v1/chat", Dialect::lmstudio_chat, body)}) {
    const auto before = worker_->counters().generated_tokens;
    const std::string text = post(path, sent).body;
    protocol::SseScanner scanner(dialect);
    scanner.observe(text);
    EXPECT_EQ(scanner.token_deltas(), worker_->counters().generated_tokens - before) << path;
    EXPECT_TRUE(scanner.saw_finish()) << path;
    EXPECT_FALSE(scanner.saw_error()) << path;
  }
}

}  // namespace
}  // namespace lmb::sim
