#include "lmb/sim/worker.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "lmb/protocol/model_list.hpp"
#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

using test::count_of;
using test::run_until;

TEST_F(WorkerTest, streams_a_chat_like_lm_studio) {
  start();
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", chat(true, 12)));
  const std::string text = c.receive_until([](auto& t) { return t.ends_with("0\r\n\r\n"); });
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\n")) << text;
  EXPECT_NE(text.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nKeep-Alive: timeout=5\r\n"), std::string::npos);
  const auto events = events_of(text);
  ASSERT_EQ(events.size(), 13u);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(events[i]["object"], "chat.completion.chunk");
    EXPECT_EQ(events[i]["model"], llm);
    EXPECT_EQ(events[i]["id"], events[0]["id"]);
    EXPECT_EQ(events[i]["choices"][0]["delta"]["role"], "assistant");
    EXPECT_FALSE(events[i]["choices"][0]["delta"]["content"].get<std::string>().empty());
    EXPECT_TRUE(events[i]["choices"][0]["finish_reason"].is_null());
    EXPECT_FALSE(events[i].contains("usage"));
  }
  EXPECT_EQ(events[12]["choices"][0]["delta"], json::object());
  EXPECT_EQ(events[12]["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(count_of(text, "data: [DONE]\n\n"), 1u);
  EXPECT_TRUE(settles());
  EXPECT_EQ(worker_->counters().finished, 1u);
  EXPECT_EQ(worker_->counters().generated_tokens, 12u);
}

TEST_F(WorkerTest, sends_the_usage_event_only_when_asked) {
  start();
  json body = json::parse(chat(true, 5));
  body["stream_options"]["include_usage"] = true;
  const auto events = events_of(post("/v1/chat/completions", body.dump()).body);
  ASSERT_EQ(events.size(), 7u);
  EXPECT_EQ(events[6]["choices"], json::array());
  EXPECT_EQ(events[6]["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(events[6]["usage"]["completion_tokens"], 5);
  EXPECT_EQ(events[6]["usage"]["total_tokens"], 7);
}

TEST_F(WorkerTest, a_whole_answer_has_the_same_text_as_the_stream) {
  start();
  std::string streamed;
  for (const auto& event : events_of(post("/v1/chat/completions", chat(true, -1)).body)) {
    streamed += event["choices"][0]["delta"].value("content", "");
  }
  const auto answer = post("/v1/chat/completions", chat(false, -1));
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.content_type, "application/json; charset=utf-8");
  const json whole = json::parse(answer.body);
  EXPECT_EQ(whole["object"], "chat.completion");
  EXPECT_EQ(whole["system_fingerprint"], llm);
  EXPECT_EQ(whole["stats"], json::object());
  EXPECT_EQ(whole["choices"][0]["message"]["content"], streamed);
  EXPECT_EQ(whole["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(streamed.ends_with("."));
  const int tokens = whole["usage"]["completion_tokens"];
  EXPECT_GE(tokens, 90);
  EXPECT_LE(tokens, 300);
}

TEST_F(WorkerTest, answers_text_completions_and_the_native_forms) {
  start();
  const std::string prompt = json({{"model", llm}, {"prompt", "Hello"}, {"max_tokens", 4}}).dump();
  const json text = json::parse(post("/v1/completions", prompt).body);
  EXPECT_EQ(text["object"], "text_completion");
  EXPECT_EQ(text["usage"]["completion_tokens"], 4);
  EXPECT_FALSE(text["choices"][0]["text"].get<std::string>().empty());
  const json native = json::parse(post("/api/v0/chat/completions", chat(false, 50)).body);
  EXPECT_EQ(native["stats"]["stop_reason"], "maxPredictedTokensReached");
  // 49 gaps of 9.4 ms after the first token, in the machine's own time, not the test's.
  EXPECT_NEAR(native["stats"]["generation_time"].get<double>(), 0.46, 0.08);
  EXPECT_NEAR(native["stats"]["time_to_first_token"].get<double>(), 0.151, 0.01);
  EXPECT_EQ(native["model_info"]["context_length"], 32768);
  const std::string streamed =
      json({{"model", llm}, {"prompt", "x"}, {"max_tokens", 3}, {"stream", true}}).dump();
  const auto events = events_of(post("/v1/completions", streamed).body);
  ASSERT_EQ(events.size(), 4u);
  EXPECT_FALSE(events[0]["choices"][0]["text"].get<std::string>().empty());
}

TEST_F(WorkerTest, embeds_with_usage_zero) {
  start();
  const std::string body = json({{"model", embedder}, {"input", {"a", "b"}}}).dump();
  const json answer = json::parse(post("/v1/embeddings", body).body);
  ASSERT_EQ(answer["data"].size(), 2u);
  EXPECT_EQ(answer["data"][1]["index"], 1);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 0);
  EXPECT_TRUE(answer["model"].get<std::string>().starts_with(embedder));
  double squares = 0;
  for (const double x : answer["data"][0]["embedding"]) squares += x * x;
  EXPECT_NEAR(squares, 1, 1e-4);
  EXPECT_NE(answer["data"][0]["embedding"], answer["data"][1]["embedding"]);
  EXPECT_EQ(json::parse(post("/v1/embeddings", body).body)["data"], answer["data"]);
}

TEST_F(WorkerTest, lists_its_models_in_all_three_forms) {
  WorkerOptions options = fast();
  options.models.push_back(ModelOptions{*find_preset("m3-ultra-30b-a3b"), 7, true});
  options.models.push_back(ModelOptions{*find_preset("m3-ultra-70b"), 0, false});
  start(options);
  const auto native = protocol::parse_model_list(get("/api/v1/models").body);
  ASSERT_TRUE(native);
  EXPECT_TRUE(native->tells_loaded);
  ASSERT_EQ(native->models.size(), 3u);
  EXPECT_EQ(native->models[0].id, llm);
  ASSERT_EQ(native->models[0].instances.size(), 1u);
  EXPECT_EQ(native->models[0].instances[0].id, llm);
  EXPECT_EQ(native->models[0].instances[0].parallel, 7u);
  EXPECT_EQ(native->models[0].instances[0].context_length, 32768u);
  EXPECT_EQ(native->models[0].variants, (std::vector<std::string>{"qwen/qwen3-30b-a3b@4bit"}));
  EXPECT_TRUE(native->models[1].instances.empty());
  EXPECT_EQ(native->models[2].type, "embedding");
  const auto v0 = protocol::parse_model_list(get("/api/v0/models").body);
  ASSERT_TRUE(v0);
  EXPECT_EQ(v0->models.size(), 3u);
  EXPECT_TRUE(v0->models[1].instances.empty());
  EXPECT_FALSE(v0->models[0].instances.empty());
  const auto openai = protocol::parse_model_list(get("/v1/models").body);
  ASSERT_TRUE(openai);
  EXPECT_FALSE(openai->tells_loaded);
  EXPECT_EQ(openai->models.size(), 3u);
  EXPECT_EQ(json::parse(get("/api/v0/models/qwen%2Fqwen3-30b-a3b").body)["id"], llm);
  EXPECT_EQ(json::parse(get(std::string("/api/v0/models/") + llm).body)["state"], "loaded");
}

TEST_F(WorkerTest, greets_and_answers_200_to_the_unknown) {
  start();
  const auto unexpected = [](const std::string& what) {
    return R"({"error":"Unexpected endpoint or method. ()" + what + ")\"}";
  };
  EXPECT_EQ(get("/lmstudio-greeting").body, R"({"lmstudio":true})");
  const auto unknown = get("/health?x=1");
  EXPECT_EQ(unknown.status, 200u);
  EXPECT_EQ(unknown.body, unexpected("GET /health"));
  EXPECT_EQ(post("/v1/models", "{}").body, unexpected("POST /v1/models"));
  EXPECT_EQ(get("/v1/chat/completions").body, unexpected("GET /v1/chat/completions"));
  EXPECT_EQ(get("/api/v0/models/nope").body, unexpected("GET /api/v0/models/nope"));
}

TEST_F(WorkerTest, refuses_with_400_as_lm_studio_words_it) {
  WorkerOptions options = fast();
  options.models.push_back(ModelOptions{*find_preset("m2-ultra-8b"), 0, true});
  options.models.push_back(ModelOptions{*find_preset("m3-ultra-70b"), 0, false});
  options.models.back().load_fault = LoadFault::refused;
  options.version = {0, 4, 16};
  start(options);
  const auto refused = [&](const std::string& body) {
    const auto answer = post("/v1/chat/completions", body);
    EXPECT_EQ(answer.status, 400u) << body;
    return json::parse(answer.body, nullptr, false)["error"];
  };
  const json unknown = refused(R"({"model":"x","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(unknown["code"], "model_not_found");
  EXPECT_EQ(unknown["type"], "invalid_request_error");
  EXPECT_TRUE(unknown["message"].get<std::string>().starts_with(
      "Invalid model identifier \"x\". Please specify a valid downloaded model (e.g., "));
  const json unloaded =
      refused(R"({"model":"llama-3.3-70b-instruct","messages":[{"role":"user","content":"x"}]})");
  EXPECT_TRUE(unloaded["message"].get<std::string>().starts_with("Failed to load model"));
  EXPECT_TRUE(refused("{").is_string());
  EXPECT_TRUE(refused("").is_string());
  EXPECT_EQ(refused(R"({"model":"meta-llama-3-8b-instruct"})"), "'messages' field is required");
  const std::string long_prompt(8192 * 4, 'x');
  const json too_long = refused(json({{"model", "meta-llama-3-8b-instruct"},
                                      {"messages", {{{"role", "user"}, {"content", long_prompt}}}}})
                                    .dump());
  EXPECT_TRUE(too_long.get<std::string>().starts_with("The number of tokens to keep"));
  EXPECT_EQ(worker_->counters().started, 0u);
  EXPECT_EQ(post("/v1/embeddings", R"({"model":"x","input":"y"})").status, 400u);
}

TEST_F(WorkerTest, asks_for_its_token_except_to_greet) {
  WorkerOptions options = fast();
  options.api_token = "sk-lm-a:b";
  start(options);
  EXPECT_EQ(get("/lmstudio-greeting").status, 200u);
  const auto refused = get("/v1/models");
  EXPECT_EQ(refused.status, 401u);
  EXPECT_EQ(json::parse(refused.body)["error"]["code"], "invalid_api_key");
  for (const auto& [value, status] : {std::pair("Bearer sk-lm-a:b", 200u), {"Bearer x", 401u}}) {
    http::FetchRequest request("GET", "/v1/models", "mac:1234");
    request.fields.emplace_back("Authorization", value);
    EXPECT_EQ(fetch(std::move(request)).status, status);
  }
  const auto seen = worker_->seen();
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[1].credential, Credential::none);
  EXPECT_EQ(seen[2].credential, Credential::own);
  EXPECT_EQ(seen[3].credential, Credential::other);
}

TEST_F(WorkerTest, the_head_comes_before_the_first_token) {
  WorkerOptions options;
  options.speed = 1;  // The overhead alone is 150 ms.
  start(options);
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", chat(true)));
  const std::string text = c.receive_until([](auto& t) { return !t.empty(); });
  EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
  EXPECT_EQ(count_of(text, "data: "), 0u);
}

TEST_F(WorkerTest, a_client_that_leaves_frees_its_slot_and_the_next_goes_on) {
  WorkerOptions options;
  options.speed = 10;
  options.models.push_back(ModelOptions{*find_preset(default_preset), 1, true});
  start(options);
  {
    test::RawClient first = client();
    first.send(wire("/v1/chat/completions", chat(true, 10'000)));
    first.receive_until([](auto& t) { return count_of(t, "data: ") > 2; });
    test::RawClient queued = client();
    queued.send(wire("/v1/chat/completions", chat(false)));
    EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().waiting == 1; }));
  }
  EXPECT_TRUE(settles());
  const auto counters = worker_->counters();
  EXPECT_EQ(counters.cancelled, 2u);
  EXPECT_EQ(counters.finished, 0u);
  EXPECT_EQ(counters.running_max, 1u);
  EXPECT_EQ(post("/v1/chat/completions", chat(false, 3)).status, 200u);
}

TEST_F(WorkerTest, a_running_prompt_keeps_its_slot_after_the_client_left) {
  WorkerOptions options;
  options.speed = 40;
  options.models.push_back(ModelOptions{*find_preset(default_preset), 1, true});
  start(options);
  const std::string prompt(20'000 * 4, 'x');  // 12 s of the machine's time, 0.3 s of ours.
  {
    test::RawClient c = client();
    c.send(wire("/v1/chat/completions", chat(true, 10, prompt)));
    // The prompt starts after 150 ms of the machine's time, about 4 ms of ours.
    c.receive_until([](auto& t) { return t.ends_with("\r\n\r\n"); });
    const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    run_until(context_, [&] { return std::chrono::steady_clock::now() > soon; });
  }
  const auto left = std::chrono::steady_clock::now();
  run_until(context_, [&, turns = 0]() mutable { return ++turns > 3; });
  EXPECT_EQ(worker_->counters().running, 1u);
  EXPECT_EQ(worker_->counters().cancelled, 0u);
  EXPECT_TRUE(settles());
  EXPECT_GT(std::chrono::steady_clock::now() - left, std::chrono::milliseconds(100));
  EXPECT_EQ(worker_->counters().cancelled, 1u);
}

TEST_F(WorkerTest, a_repeated_prompt_comes_from_the_prefix_cache) {
  start();
  const std::string prompt(4096, 'x');
  post("/v1/chat/completions", chat(false, 2, prompt));
  EXPECT_EQ(worker_->counters().cached_tokens, 0u);
  post("/v1/chat/completions", chat(false, 2, prompt));
  EXPECT_EQ(worker_->counters().cached_tokens, 1023u);
  EXPECT_EQ(worker_->counters().prompt_tokens, 2048u);
}

TEST_F(WorkerTest, remembers_whom_it_served) {
  start();
  http::FetchRequest request("POST", "/v1/chat/completions?x", "mac:1234");
  request.fields.emplace_back("X-Request-Id", "id-1");
  request.body = chat(false, 2);
  fetch(std::move(request));
  const auto seen = worker_->seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].request_id, "id-1");
  EXPECT_EQ(seen[0].method, "POST");
  EXPECT_EQ(seen[0].path, "/v1/chat/completions");
  EXPECT_EQ(seen[0].model, llm);
  EXPECT_EQ(seen[0].host, "mac:1234");
}

TEST_F(WorkerTest, report_a_serves_at_its_own_pace) {
  WorkerOptions options = fast();
  options.models.push_back(ModelOptions{*find_preset("report-a"), 0, true});
  start(options);
  const json answer = json::parse(post("/api/v0/chat/completions", chat(false, 10)).body);
  const double total = answer["stats"]["time_to_first_token"].get<double>() +
                       answer["stats"]["generation_time"].get<double>();
  EXPECT_NEAR(total, 3.755, 0.001);
}

TEST_F(WorkerTest, may_be_destroyed_in_the_middle_of_a_stream) {
  start();
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", chat(true, 30'000)));
  c.receive_until([](auto& t) { return count_of(t, "data: ") > 2; });
  worker_.reset();
  c.receive_all();
  EXPECT_TRUE(c.closed());
}

}  // namespace
}  // namespace lmb::sim
