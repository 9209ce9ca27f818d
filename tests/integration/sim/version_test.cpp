#include "lmb/sim/version.hpp"

#include <gtest/gtest.h>

#include "lmb/protocol/worker_answer.hpp"
#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

class VersionTest : public WorkerTest {
 protected:
  void start_as(StudioVersion version) {
    WorkerOptions options = fast();
    options.version = version;
    start(options);
  }
  /// The routes of the study's table that are there, by name.
  std::string routes() {
    std::string out;
    const std::string small = chat(false, 1);
    const std::string prompt = json({{"model", llm}, {"prompt", "x"}, {"max_tokens", 1}}).dump();
    const std::string input = json({{"model", llm}, {"input", "x"}}).dump();
    const std::string embedding = json({{"model", embedder}, {"input", "x"}}).dump();
    const auto add = [&](const std::string& name, const http::FetchedAnswer& answer) {
      const bool there =
          protocol::judge_answer(answer.status, answer.body) != protocol::Verdict::lacks_route;
      if (there) out += (out.empty() ? "" : " ") + name;
    };
    for (const char* path : {"/v1/models", "/api/v0/models", "/api/v1/models"}) {
      add(path, get(path));
    }
    for (const auto& [path, body] :
         {std::pair("/v1/chat/completions", small), std::pair("/v1/completions", prompt),
          std::pair("/v1/embeddings", embedding), std::pair("/api/v0/chat/completions", small),
          std::pair("/v1/responses", input), std::pair("/v1/messages", small),
          std::pair("/api/v1/chat", input),
          std::pair("/api/v1/models/unload", std::string("{}"))}) {
      add(path, post(path, body));
    }
    return out;
  }
  static constexpr const char* old_routes =
      "/v1/models /api/v0/models /v1/chat/completions /v1/completions /v1/embeddings "
      "/api/v0/chat/completions";
};

TEST_F(VersionTest, each_has_the_routes_of_its_time) {
  start_as({0, 3, 6});
  EXPECT_EQ(routes(), old_routes);
  start_as({0, 3, 29});
  EXPECT_EQ(routes(), std::string(old_routes) + " /v1/responses");
  start_as({0, 4, 0});
  EXPECT_EQ(routes(),
            "/v1/models /api/v0/models /api/v1/models /v1/chat/completions /v1/completions "
            "/v1/embeddings /api/v0/chat/completions /v1/responses /api/v1/chat "
            "/api/v1/models/unload");
  start_as({0, 4, 26});
  EXPECT_EQ(routes(),
            "/v1/models /api/v0/models /api/v1/models /v1/chat/completions /v1/completions "
            "/v1/embeddings /api/v0/chat/completions /v1/responses /v1/messages /api/v1/chat "
            "/api/v1/models/unload");
}

TEST_F(VersionTest, the_oldest_knows_neither_usage_events_nor_capabilities) {
  json body = json::parse(chat(true, 5));
  body["stream_options"]["include_usage"] = true;
  for (const bool old : {true, false}) {
    start_as(old ? StudioVersion{0, 3, 6} : StudioVersion{0, 3, 29});
    EXPECT_EQ(events_of(post("/v1/chat/completions", body.dump()).body).size(), old ? 6u : 7u);
    const json entry = json::parse(get("/api/v0/models").body)["data"][0];
    EXPECT_EQ(entry.contains("capabilities"), !old);
    http::FetchRequest request("POST", "/v1/chat/completions", "mac:1234");
    request.fields.emplace_back("x-sim-fault", "error_in_stream");
    request.body = body.dump();
    const auto events = events_of(fetch(std::move(request)).body);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]["error"].is_string(), old);
  }
}

TEST_F(VersionTest, before_0_3_15_the_only_loaded_model_answers_to_any_name) {
  json body = json::parse(chat(false, 1));
  body["model"] = "gpt-4";
  start_as({0, 3, 6});
  EXPECT_EQ(json::parse(post("/v1/chat/completions", body.dump()).body)["model"], llm);
  start_as({0, 3, 29});
  EXPECT_EQ(post("/v1/chat/completions", body.dump()).status, 400u);
}

TEST_F(VersionTest, before_0_4_an_instance_runs_one_request_at_a_time) {
  for (const bool old : {true, false}) {
    WorkerOptions options;
    options.speed = 50;
    options.answer_tokens = 20'000;
    options.version = old ? StudioVersion{0, 3, 29} : StudioVersion{0, 4, 0};
    start(options);
    std::vector<std::unique_ptr<test::RawClient>> clients;
    for (int i = 0; i < 3; ++i) {
      clients.push_back(std::make_unique<test::RawClient>(context_, worker_->endpoint()));
      clients.back()->send(wire("/v1/chat/completions", chat(true, 10'000)));
    }
    EXPECT_TRUE(test::run_until(context_, [&] { return worker_->counters().started == 3; }));
    EXPECT_EQ(worker_->counters().running, old ? 1u : 3u);
    EXPECT_EQ(worker_->counters().waiting, old ? 2u : 0u);
    clients.clear();
    EXPECT_TRUE(settles());
  }
}

TEST_F(VersionTest, a_prompt_that_is_too_long_is_told_in_the_words_of_the_time) {
  const json body = {{"model", "meta-llama-3-8b-instruct"},
                     {"messages", {{{"role", "user"}, {"content", std::string(40'000, 'x')}}}}};
  json streamed = body;
  streamed["stream"] = true;
  const auto start_small = [this](StudioVersion version) {
    WorkerOptions options = fast();
    options.models.push_back(ModelOptions{*find_preset("m2-ultra-8b"), 0, true});
    options.version = version;
    start(options);
  };
  start_small({0, 4, 0});
  for (const json& each : {body, streamed}) {
    const auto answer = post("/v1/chat/completions", each.dump());
    EXPECT_EQ(answer.status, 400u);
    EXPECT_EQ(json::parse(answer.body)["error"].get<std::string>().substr(0, 28),
              "The number of tokens to keep");
  }
  start_small({0, 4, 26});
  const auto whole = post("/v1/chat/completions", body.dump());
  EXPECT_EQ(whole.status, 400u);
  EXPECT_NE(whole.body.find("request (10000 tokens) exceeds the available context size (8192 "
                            "tokens), try increasing it"),
            std::string::npos);
  const auto stream = post("/v1/chat/completions", streamed.dump());
  EXPECT_EQ(stream.status, 200u);
  const auto events = events_of(stream.body);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0]["error"]["message"].get<std::string>().starts_with("Engine protocol"));
  EXPECT_EQ(worker_->counters().started, 0u);
}

}  // namespace
}  // namespace lmb::sim
