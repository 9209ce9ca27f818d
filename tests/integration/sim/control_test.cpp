#include <gtest/gtest.h>

#include "lmb/sim/error_answer.hpp"
#include "lmb/sim/worker.hpp"
#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

using test::run_until;

/// Errors on demand and the calls under /sim/.
class ControlTest : public WorkerTest {
 protected:
  void SetUp() override { start(); }

  void control(const std::string& what, const json& call = json::object()) {
    const auto answer = post("/sim/" + what, call.dump());
    EXPECT_EQ(answer.status, 200u) << answer.body;
    EXPECT_EQ(answer.body, R"({"ok":true})");
  }
  std::string mistake(const std::string& what, const json& call = json::object()) {
    const auto answer = post("/sim/" + what, call.dump());
    EXPECT_EQ(answer.status, 400u) << answer.body;
    return json::parse(answer.body)["error"];
  }
  json state() { return json::parse(get("/sim/state").body); }
};

TEST_F(ControlTest, every_error_body_comes_on_demand) {
  for (int i = 1; i <= static_cast<int>(ErrorAnswer::missing_parameter); ++i) {
    const auto error = static_cast<ErrorAnswer>(i);
    for (const bool stream : {false, true}) {
      http::FetchRequest request("POST", "/v1/chat/completions", "mac:1234");
      request.fields.emplace_back("x-sim-error", std::string(to_string(error)));
      request.body = chat(stream);
      const auto answer = fetch(std::move(request));
      const bool html = error == ErrorAnswer::express_failure;
      EXPECT_EQ(answer.content_type,
                html ? "text/html; charset=utf-8" : "application/json; charset=utf-8");
      EXPECT_NE(html, json::accept(answer.body)) << answer.body;
      if (error == ErrorAnswer::unknown_model) {
        EXPECT_NE(answer.body.find(llm), std::string::npos);
      }
      if (error == ErrorAnswer::unexpected_endpoint) {
        EXPECT_NE(answer.body.find("(POST /v1/chat/completions)"), std::string::npos);
      }
    }
  }
  EXPECT_EQ(worker_->counters().started, 0u);
  EXPECT_EQ(worker_->counters().faults, 2u * static_cast<unsigned>(ErrorAnswer::missing_parameter));
}

TEST_F(ControlTest, a_scripted_error_lasts_as_long_as_told) {
  worker_->set_error(ErrorAnswer::model_unloaded, FaultScope::generation, 2);
  EXPECT_EQ(get("/v1/models").status, 200u);
  for (int i = 0; i < 2; ++i) {
    const auto answer = post("/v1/chat/completions", chat(true));
    EXPECT_EQ(answer.status, 400u);
    EXPECT_EQ(answer.body, R"({"error":"Model unloaded."})");
  }
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).status, 200u);
}

TEST_F(ControlTest, faults_and_errors_are_scripted_by_a_call) {
  control("fault", {{"error", "channel_error"}, {"count", 1}});
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).body, R"({"error":"Channel Error"})");
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).status, 200u);
  control("fault", {{"fault", "status_500"}, {"scope", "everything"}});
  EXPECT_EQ(get("/lmstudio-greeting").status, 500u);
  control("fault");  // Control calls are spared, else nothing could lift it.
  EXPECT_EQ(get("/lmstudio-greeting").status, 200u);
  EXPECT_EQ(mistake("fault", {{"fault", "fire"}}), "unknown fault 'fire'");
  EXPECT_EQ(mistake("fault", {{"error", "fire"}}), "unknown error 'fire'");
  EXPECT_NE(mistake("fault", {{"scope", "all"}}), "");
  EXPECT_NE(mistake("fault", {{"count", -1}}), "");
}

TEST_F(ControlTest, engines_and_loads_obey_calls) {
  control("crash", {{"model", llm}});
  EXPECT_EQ(state()["instances"].size(), 1u);
  control("load", {{"model", llm}});
  EXPECT_TRUE(run_until(context_, [&] {
    const auto all = worker_->instances();
    return all.size() == 2 && all[1].loaded;
  }));
  control("unload", {{"instance", llm}});
  EXPECT_EQ(mistake("unload", {{"instance", llm}}), "no instance '" + std::string(llm) + "'");
  control("load_fault", {{"model", llm}, {"fault", "refused"}});
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).status, 400u);
  EXPECT_NE(mistake("load", {{"model", llm}}), "");
  control("load_fault", {{"model", llm}, {"fault", "none"}});
  EXPECT_NE(mistake("load_fault", {{"model", llm}}), "");
  EXPECT_NE(mistake("load_fault", {{"model", "x"}, {"fault", "none"}}), "");
  control("slow", {{"factor", 2.5}});
  EXPECT_NE(mistake("slow", {{"factor", 0.5}}), "");
  EXPECT_EQ(post("/v1/chat/completions", chat(false, 2)).status, 200u);
  control("wedge");
  control("wedge", {{"wedged", false}});
  EXPECT_EQ(post("/v1/chat/completions", chat(false, 2)).status, 200u);
  control("restart");
  EXPECT_EQ(state()["instances"], json::array());
}

TEST_F(ControlTest, the_state_is_that_of_the_counters) {
  post("/v1/chat/completions", chat(false, 7));
  const json counters = state()["counters"];
  EXPECT_EQ(counters["finished"], 1);
  EXPECT_EQ(counters["generated_tokens"], 7);
  EXPECT_EQ(counters["requests"], 1);  // Control calls are not counted.
  EXPECT_EQ(state()["instances"][0]["id"], llm);
  EXPECT_EQ(state()["instances"][0]["loaded"], true);
}

TEST_F(ControlTest, other_calls_are_refused) {
  EXPECT_NE(mistake("fire").find("there are fault"), std::string::npos);
  EXPECT_EQ(get("/sim/crash").status, 400u);
  EXPECT_EQ(post("/sim/crash", "[]").status, 400u);
  EXPECT_EQ(post("/sim/crash", "{").status, 400u);
  EXPECT_EQ(worker_->instances().size(), 2u);
}

TEST_F(ControlTest, a_token_may_come_in_the_field_of_anthropics_clients) {
  WorkerOptions options = fast();
  options.api_token = "sk-lm-a:b";
  start(options);
  const auto ask = [&](const char* path, const char* name, const char* value) {
    http::FetchRequest request("POST", path, "mac:1234");
    request.fields.emplace_back(name, value);
    request.body = chat(false, 2);
    return fetch(std::move(request)).status;
  };
  EXPECT_EQ(ask("/v1/messages", "x-api-key", "sk-lm-a:b"), 200u);
  EXPECT_EQ(ask("/v1/messages", "x-api-key", "sk-lm-x:y"), 401u);
  EXPECT_EQ(ask("/v1/messages", "Authorization", "Bearer sk-lm-a:b"), 200u);
  EXPECT_EQ(ask("/v1/chat/completions", "x-api-key", "sk-lm-a:b"), 401u);
}

}  // namespace
}  // namespace lmb::sim
