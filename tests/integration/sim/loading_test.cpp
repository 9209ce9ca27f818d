#include <gtest/gtest.h>

#include "lmb/sim/worker.hpp"
#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;
using test::count_of;
using test::run_until;

constexpr const char* small = "meta-llama-3-8b-instruct";
constexpr const char* big = "llama-3.3-70b-instruct";

/// A worker with two models on disk and none of them loaded.
class LoadingTest : public WorkerTest {
 protected:
  static WorkerOptions cold() {
    WorkerOptions options = fast();
    options.models = {ModelOptions{*find_preset("m2-ultra-8b"), 9, false},
                      ModelOptions{*find_preset("m3-ultra-70b"), 0, false}};
    return options;
  }
  /// The same, with answers of some thousand tokens that last for seconds.
  static WorkerOptions steady() {
    WorkerOptions options = cold();
    options.speed = 50;
    options.answer_tokens = 14'000;
    return options;
  }
  static json ask(const std::string& model, bool stream = false, int max_tokens = 5) {
    return {{"model", model},
            {"stream", stream},
            {"max_tokens", max_tokens},
            {"messages", {{{"role", "user"}, {"content", "Hello"}}}}};
  }
  http::FetchedAnswer chat_with(const json& body) {
    return post("/v1/chat/completions", body.dump());
  }
  /// Ids of all instances, those still loading in brackets.
  std::string instances() {
    std::string out;
    for (const auto& instance : worker_->instances()) {
      out += (out.empty() ? "" : " ") + (instance.loaded ? instance.id : "[" + instance.id + "]");
    }
    return out;
  }
  /// Without the embedding model, which is always there.
  std::string llms() {
    const std::string all = instances();
    const std::string embedding = embedder;
    EXPECT_TRUE(all.starts_with(embedding));
    return all.substr(std::min(all.size(), embedding.size() + 1));
  }
};

TEST_F(LoadingTest, a_request_loads_its_model_just_in_time) {
  start(cold());
  EXPECT_EQ(llms(), "");
  EXPECT_EQ(json::parse(get("/api/v0/models").body)["data"][0]["state"], "not-loaded");
  const auto answer = chat_with(ask(small));
  EXPECT_EQ(answer.status, 200u) << answer.body;
  EXPECT_EQ(json::parse(answer.body)["model"], small);
  EXPECT_EQ(llms(), small);
  const json v0 = json::parse(get("/api/v0/models").body)["data"][0];
  EXPECT_EQ(v0["state"], "loaded");
  EXPECT_EQ(v0["loaded_context_length"], 8192);
  const json v1 = json::parse(get("/api/v1/models").body)["models"];
  ASSERT_EQ(v1[0]["loaded_instances"].size(), 1u);
  // Whatever the model's own setting: what a request or a call loads has four slots.
  EXPECT_EQ(v1[0]["loaded_instances"][0]["config"]["parallel"], 4);
  EXPECT_EQ(v1[1]["loaded_instances"], json::array());
  EXPECT_EQ(worker_->counters().loads, 1u);
  chat_with(ask(small));
  EXPECT_EQ(worker_->counters().loads, 1u);
}

TEST_F(LoadingTest, simultaneous_cold_requests_load_as_many_instances) {
  WorkerOptions options = cold();
  options.models[0].load_time = 1000s;
  start(options);
  test::RawClient first = client();
  test::RawClient second = client();
  for (test::RawClient* c : {&first, &second}) {
    c->send(wire("/v1/chat/completions", ask(small).dump(), "Connection: close\r\n"));
  }
  const std::string answers = first.receive_all() + second.receive_all();
  EXPECT_EQ(count_of(answers, "HTTP/1.1 200 OK"), 2u) << answers;
  EXPECT_EQ(count_of(answers, "\"model\": \"meta-llama-3-8b-instruct\""), 1u);
  EXPECT_EQ(count_of(answers, "\"model\": \"meta-llama-3-8b-instruct:2\""), 1u);
  EXPECT_EQ(llms(), std::string(small) + " " + small + ":2");
  const json rows = json::parse(get("/v1/models").body)["data"];
  EXPECT_EQ(rows[1]["id"], std::string(small) + ":2");
  EXPECT_EQ(json::parse(chat_with(ask(std::string(small) + ":2")).body)["model"],
            std::string(small) + ":2");
  EXPECT_EQ(json::parse(chat_with(ask(small)).body)["model"], small);
  EXPECT_EQ(chat_with(ask(std::string(small) + ":3")).status, 400u);
}

TEST_F(LoadingTest, auto_evict_kills_what_is_being_generated) {
  start(steady());
  test::RawClient victim = client();
  victim.send(wire("/v1/chat/completions", ask(small, true, 7000).dump()));
  victim.receive_until([](auto& t) { return count_of(t, "data: ") > 2; });
  test::RawClient whole = client();
  whole.send(wire("/v1/chat/completions", ask(small, false, 7000).dump()));
  EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().running == 2; }));
  EXPECT_EQ(chat_with(ask(big)).status, 200u);
  const std::string streamed =
      victim.receive_until([](auto& t) { return t.ends_with("0\r\n\r\n"); });
  EXPECT_EQ(events_of(streamed).back()["error"]["message"], "Model unloaded.");
  const std::string refused = whole.receive_until([](auto& t) { return t.ends_with("}"); });
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 400 ")) << refused;
  EXPECT_TRUE(refused.ends_with(R"({"error":"Model unloaded."})"));
  EXPECT_EQ(llms(), big);
  const auto counters = worker_->counters();
  EXPECT_EQ(counters.killed, 2u);
  EXPECT_EQ(counters.unloads, 1u);
  EXPECT_EQ(counters.started, counters.finished + counters.killed);
}

TEST_F(LoadingTest, an_idle_instance_goes_after_its_ttl) {
  WorkerOptions options = cold();
  options.ttl = 2000s;
  options.auto_evict = false;
  start(options);
  json body = ask(small);
  body["ttl"] = 1e8;
  chat_with(body);
  chat_with(ask(big));
  EXPECT_EQ(llms(), std::string(small) + " " + big);
  EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().unloads == 1; }));
  EXPECT_EQ(llms(), small);
  EXPECT_EQ(chat_with(ask(big)).status, 200u);
  EXPECT_EQ(worker_->counters().loads, 3u);
}

TEST_F(LoadingTest, load_and_unload_calls) {
  start(cold());
  const auto loaded =
      post("/api/v1/models/load", json({{"model", small}, {"context_length", 4096}}).dump());
  EXPECT_EQ(loaded.status, 200u);
  const json answer = json::parse(loaded.body);
  EXPECT_EQ(answer["type"], "llm");
  EXPECT_EQ(answer["instance_id"], small);
  EXPECT_EQ(answer["status"], "loaded");
  EXPECT_NEAR(answer["load_time_seconds"].get<double>(), 1.5 + 4.92 / 3, 1e-6);
  EXPECT_FALSE(answer.contains("load_config"));
  const json echoed = json::parse(
      post("/api/v1/models/load",
           json({{"model", std::string(small) + "@q4_k_m"}, {"echo_load_config", true}}).dump())
          .body);
  EXPECT_EQ(echoed["instance_id"], std::string(small) + ":2");  // Not idempotent.
  EXPECT_EQ(echoed["load_config"]["context_length"], 8192);
  const json v1 = json::parse(get("/api/v1/models").body)["models"][0]["loaded_instances"];
  EXPECT_EQ(v1[0]["config"]["context_length"], 4096);
  EXPECT_EQ(v1[1]["config"]["context_length"], 8192);
  const json gone =
      json::parse(post("/api/v1/models/unload", json({{"instance_id", small}}).dump()).body);
  EXPECT_EQ(gone, json({{"instance_id", small}}));
  EXPECT_EQ(llms(), std::string(small) + ":2");
  EXPECT_EQ(json::parse(chat_with(ask(small)).body)["model"], std::string(small) + ":2");
}

TEST_F(LoadingTest, load_and_unload_calls_are_refused_as_the_native_api_does) {
  start(cold());
  const auto error = [&](const char* path, const json& body, unsigned status) {
    const auto answer = post(path, body.dump());
    EXPECT_EQ(answer.status, status) << answer.body;
    return json::parse(answer.body)["error"];
  };
  const json missing = error("/api/v1/models/load", json::object(), 400);
  EXPECT_EQ(missing["type"], "invalid_request");
  EXPECT_EQ(missing["code"], "missing_required_parameter");
  EXPECT_EQ(missing["param"], "model");
  const json parallel = error("/api/v1/models/load", {{"model", small}, {"parallel", 8}}, 400);
  EXPECT_NE(parallel["message"].get<std::string>().find("'parallel'"), std::string::npos);
  EXPECT_EQ(error("/api/v1/models/load", {{"model", "x"}}, 404)["type"], "model_not_found");
  EXPECT_EQ(error("/api/v1/models/unload", {{"instance_id", small}}, 404)["type"],
            "model_not_found");
  EXPECT_EQ(error("/api/v1/models/unload", json::object(), 400)["param"], "instance_id");
  EXPECT_EQ(error("/api/v1/models/download", {{"model", "x"}}, 404)["type"], "model_not_found");
  EXPECT_EQ(
      json::parse(post("/api/v1/models/download", json({{"model", big}}).dump()).body)["status"],
      "already_downloaded");
  const auto job = get("/api/v1/models/download/status/job_1");
  EXPECT_EQ(job.status, 404u);
  EXPECT_EQ(json::parse(job.body)["error"]["type"], "job_not_found");
}

TEST_F(LoadingTest, an_unload_call_kills_what_is_being_generated) {
  start(steady());
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", ask(small, true, 7000).dump()));
  c.receive_until([](auto& t) { return count_of(t, "data: ") > 2; });
  post("/api/v1/models/unload", json({{"instance_id", small}}).dump());
  const std::string text = c.receive_until([](auto& t) { return t.ends_with("0\r\n\r\n"); });
  EXPECT_EQ(events_of(text).back()["error"]["message"], "Model unloaded by user or API request.");
  EXPECT_EQ(llms(), "");
}

TEST_F(LoadingTest, loads_that_are_refused_or_fail_are_told_with_400) {
  WorkerOptions options = cold();
  options.models[0].load_fault = LoadFault::refused;
  options.models[1].load_fault = LoadFault::fails;
  start(options);
  for (const auto& [model, reason] :
       {std::pair(small, "Model loading was stopped due to insufficient system resources."),
        std::pair(big, "Error loading model.")}) {
    for (const bool streamed : {false, true}) {
      const auto answer = chat_with(ask(model, streamed));
      EXPECT_EQ(answer.status, 400u);
      EXPECT_EQ(json::parse(answer.body)["error"]["message"],
                "Failed to load model \"" + std::string(model) + "\". Error: " + reason);
    }
  }
  EXPECT_EQ(llms(), "");
  EXPECT_EQ(worker_->counters().started, 0u);
  EXPECT_TRUE(worker_->set_load_fault(small, LoadFault::none));
  EXPECT_FALSE(worker_->set_load_fault("x", LoadFault::none));
  EXPECT_EQ(chat_with(ask(small)).status, 200u);
}

TEST_F(LoadingTest, a_load_may_hang_until_somebody_unloads_it) {
  WorkerOptions options = cold();
  options.models[0].load_fault = LoadFault::hangs;
  start(options);
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", ask(small, true).dump()));
  EXPECT_TRUE(run_until(context_, [&] { return llms() == "[" + std::string(small) + "]"; }));
  EXPECT_EQ(json::parse(get("/api/v1/models").body)["models"][0]["loaded_instances"],
            json::array());
  EXPECT_TRUE(worker_->unload(small));
  const std::string text = c.receive_until([](auto& t) { return t.ends_with("}"); });
  EXPECT_TRUE(text.starts_with("HTTP/1.1 400 ")) << text;
  EXPECT_FALSE(worker_->unload(small));
}

TEST_F(LoadingTest, a_load_outlives_the_client_that_caused_it_unless_told_otherwise) {
  for (const bool cancels : {false, true}) {
    WorkerOptions options = cold();
    options.cancel_load_on_disconnect = cancels;
    options.models[0].load_time = 1000s;
    start(options);
    {
      test::RawClient c = client();
      c.send(wire("/v1/chat/completions", ask(small).dump()));
      EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().loads == 1; }));
    }
    EXPECT_TRUE(run_until(context_, [&] { return llms() == (cancels ? "" : small); })) << llms();
    EXPECT_EQ(worker_->counters().started, 0u);
  }
}

TEST_F(LoadingTest, without_just_in_time_loading_only_what_is_loaded_is_there) {
  WorkerOptions options = cold();
  options.jit = false;
  start(options);
  EXPECT_EQ(json::parse(get("/v1/models").body)["data"].size(), 1u);
  EXPECT_EQ(json::parse(get("/api/v0/models").body)["data"].size(), 1u);
  EXPECT_EQ(json::parse(get("/api/v1/models").body)["models"].size(), 3u);
  const json none = json::parse(chat_with(ask(small)).body)["error"];
  EXPECT_TRUE(none["message"].get<std::string>().starts_with("No models loaded."));
  EXPECT_TRUE(none["code"].is_null());
  EXPECT_TRUE(worker_->load(big));
  EXPECT_FALSE(worker_->load("x"));
  EXPECT_TRUE(run_until(context_, [&] { return llms() == big; }));
  EXPECT_EQ(json::parse(chat_with(ask(small)).body)["error"]["code"], "model_not_found");
  EXPECT_EQ(chat_with(ask(big)).status, 200u);
}

TEST_F(LoadingTest, an_embedding_model_is_loaded_just_in_time_too) {
  start(cold());
  EXPECT_TRUE(worker_->unload(embedder));
  const auto answer = post("/v1/embeddings", json({{"model", embedder}, {"input", "a"}}).dump());
  EXPECT_EQ(answer.status, 200u) << answer.body;
  EXPECT_EQ(worker_->instances().size(), 1u);
}

TEST_F(LoadingTest, the_memory_guard_looks_at_all_instances) {
  WorkerOptions options = cold();
  options.auto_evict = false;
  options.memory_bytes = 41'000'000'000;
  start(options);
  EXPECT_EQ(chat_with(ask(big)).status, 200u);
  const auto refused = chat_with(ask(small));
  EXPECT_EQ(refused.status, 400u);
  EXPECT_NE(refused.body.find("insufficient system resources"), std::string::npos);
}

}  // namespace
}  // namespace lmb::sim
