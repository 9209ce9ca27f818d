#include <gtest/gtest.h>

#include <algorithm>

#include "lmb/sim/worker.hpp"
#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;
using test::count_of;
using test::run_until;

class EngineFaultTest : public WorkerTest {
 protected:
  static constexpr const char* crashed =
      "The model has crashed without additional information. (Exit code: 6)";

  /// A worker on which long streams last for some real seconds.
  static WorkerOptions steady() {
    WorkerOptions options;
    options.speed = 20;
    options.answer_tokens = 30'000;
    return options;
  }
  static auto tokens_came(std::size_t tokens) {
    return [tokens](const std::string& t) { return count_of(t, "data: ") >= tokens; };
  }
  static bool ended(const std::string& text) { return text.ends_with("0\r\n\r\n"); }
  static std::string last_error(const std::string& text) {
    const auto events = events_of(text);
    if (events.empty() || !events.back().contains("error")) return "";
    return events.back()["error"]["message"];
  }
  http::FetchedAnswer chat_with_fault(Fault fault, bool stream) {
    http::FetchRequest request("POST", "/v1/chat/completions", "mac:1234");
    request.fields.emplace_back("x-sim-fault", std::string(to_string(fault)));
    request.body = chat(stream);
    return fetch(std::move(request));
  }
  std::size_t loaded() {
    const auto all = worker_->instances();
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [](const SeenInstance& each) { return each.loaded; }));
  }
};

TEST_F(EngineFaultTest, a_crash_fails_all_and_the_next_request_loads_anew) {
  start(steady());
  test::RawClient bystander = client();
  bystander.send(wire("/v1/chat/completions", chat(true, 30'000)));
  bystander.receive_until(tokens_came(2));
  const auto answer = chat_with_fault(Fault::engine_crash, true);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(events_of(answer.body).size(), 4u);  // Three tokens and the error.
  EXPECT_EQ(last_error(answer.body), crashed);
  EXPECT_EQ(last_error(bystander.receive_until(ended)), crashed);
  EXPECT_EQ(loaded(), 1u);  // The embedding model.
  EXPECT_EQ(worker_->counters().killed, 2u);
  EXPECT_EQ(worker_->counters().loads, 0u);
  EXPECT_EQ(post("/v1/chat/completions", chat(false, 2)).status, 200u);
  EXPECT_EQ(worker_->counters().loads, 1u);
}

TEST_F(EngineFaultTest, a_crash_is_400_for_a_whole_answer_and_500_where_other_dialects_say_so) {
  start();
  const auto answer = chat_with_fault(Fault::engine_crash, false);
  EXPECT_EQ(answer.status, 400u);
  EXPECT_EQ(json::parse(answer.body)["error"], crashed);
  for (const auto& [path, body] :
       {std::pair("/v1/responses", json({{"model", llm}, {"input", "x"}}).dump()),
        std::pair("/v1/messages", chat(false))}) {
    http::FetchRequest request("POST", path, "mac:1234");
    request.fields.emplace_back("x-sim-fault", "engine_crash");
    request.body = body;
    const auto other = fetch(std::move(request));
    EXPECT_EQ(other.status, 500u);
    EXPECT_EQ(json::parse(other.body)["error"]["message"], crashed);
  }
}

TEST_F(EngineFaultTest, a_full_context_pool_fails_all_but_the_instance_stays) {
  start(steady());
  test::RawClient bystander = client();
  bystander.send(wire("/v1/chat/completions", chat(true, 30'000)));
  bystander.receive_until(tokens_came(2));
  const auto answer = chat_with_fault(Fault::context_overflow, true);
  EXPECT_NE(last_error(answer.body).find("Context size has been exceeded."), std::string::npos);
  EXPECT_EQ(last_error(bystander.receive_until(ended)), last_error(answer.body));
  EXPECT_EQ(loaded(), 2u);
  EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().killed == 2; }));
  EXPECT_EQ(post("/v1/chat/completions", chat(false, 2)).status, 200u);
  EXPECT_EQ(worker_->counters().loads, 0u);
}

TEST_F(EngineFaultTest, a_wedged_engine_is_silent_while_probes_are_answered) {
  start();
  worker_->wedge(true, llm);
  test::RawClient stuck = client();
  stuck.send(wire("/v1/chat/completions", chat(true, 5)));
  const std::string head = stuck.receive_until([](auto& t) { return t.ends_with("\r\n\r\n"); });
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK"));
  const json body = {{"model", embedder}, {"input", "a"}};
  EXPECT_EQ(post("/v1/embeddings", body.dump()).status, 200u);  // Another instance.
  EXPECT_EQ(get("/api/v1/models").status, 200u);
  {
    test::RawClient leaves = client();
    leaves.send(wire("/v1/chat/completions", chat(true, 5)));
    leaves.receive_until([](auto& t) { return t.ends_with("\r\n\r\n"); });
  }
  get("/v1/models");
  EXPECT_EQ(worker_->counters().running, 2u);  // It does not notice that one left.
  worker_->wedge(false);
  EXPECT_EQ(count_of(stuck.receive_until(ended), "data: "), 7u);
  EXPECT_TRUE(settles());
  EXPECT_EQ(worker_->counters().cancelled, 1u);
}

TEST_F(EngineFaultTest, a_request_may_wedge_the_engine_after_its_third_token) {
  start(steady());
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", chat(true, 2000), fault_field(Fault::engine_wedge)));
  const auto came = count_of(c.receive_until(tokens_came(3)), "data: ");
  get("/v1/models");
  get("/v1/models");
  const auto later = count_of(c.receive_until(tokens_came(3)), "data: ");
  EXPECT_LT(later, came + 1000);  // What the engine had given out already.
  EXPECT_EQ(worker_->counters().running, 1u);
  worker_->wedge(false);
  EXPECT_EQ(count_of(c.receive_until(ended), "data: "), 2002u);
}

TEST_F(EngineFaultTest, a_serial_engine_runs_one_whatever_the_lists_tell) {
  WorkerOptions options = steady();
  options.serialise = true;
  start(options);
  const json config =
      json::parse(get("/api/v1/models").body)["models"][0]["loaded_instances"][0]["config"];
  EXPECT_EQ(config["parallel"], 4);
  std::vector<std::unique_ptr<test::RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<test::RawClient>(context_, worker_->endpoint()));
    clients.back()->send(wire("/v1/chat/completions", chat(true, 30'000)));
  }
  EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().started == 3; }));
  EXPECT_EQ(worker_->counters().running, 1u);
  EXPECT_EQ(worker_->counters().waiting, 2u);
}

TEST_F(EngineFaultTest, a_zombie_generation_goes_on_after_its_client_left) {
  WorkerOptions options = steady();
  options.zombie = true;
  start(options);
  {
    test::RawClient c = client();
    c.send(wire("/v1/chat/completions", chat(true, 4000)));
    c.receive_until(tokens_came(2));
  }
  EXPECT_TRUE(run_until(context_, [&] { return worker_->counters().zombies == 1; }));
  EXPECT_EQ(worker_->counters().running, 1u);
  EXPECT_TRUE(settles());
  EXPECT_EQ(worker_->counters().finished, 1u);
  EXPECT_EQ(worker_->counters().cancelled, 0u);
}

TEST_F(EngineFaultTest, heat_and_slow_down_show_in_the_answers_stats) {
  WorkerOptions options = fast();
  options.thermal.slowest = 3;
  options.thermal.heats_in = 1s;
  options.thermal.cools_in = 24h;
  start(options);
  const auto seconds_a_token = [&] {
    const json answer = json::parse(post("/api/v0/chat/completions", chat(false, 400)).body);
    return answer["stats"]["generation_time"].get<double>() /
           (answer["usage"]["completion_tokens"].get<double>() - 1);
  };
  seconds_a_token();  // Several seconds of work, in the machine's time.
  EXPECT_NEAR(seconds_a_token(), 3 * 0.0095, 0.006);
  worker_->set_slowdown(2);
  EXPECT_NEAR(seconds_a_token(), 6 * 0.0095, 0.012);
}

TEST_F(EngineFaultTest, a_restarted_worker_has_the_same_port_and_nothing_loaded) {
  start(steady());
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", chat(true, 30'000)));
  c.receive_until(tokens_came(2));
  const auto port = worker_->port();
  worker_->restart();
  c.receive_all();
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(worker_->port(), port);
  EXPECT_EQ(worker_->instances().size(), 0u);
  EXPECT_EQ(json::parse(get("/v1/models").body)["data"].size(), 2u);
  EXPECT_EQ(post("/v1/chat/completions", chat(false, 2)).status, 200u);
}

TEST_F(EngineFaultTest, an_empty_stream_ends_without_a_token) {
  start();
  const auto streamed = chat_with_fault(Fault::empty_stream, true);
  const auto events = events_of(streamed.body);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["choices"][0]["delta"], json::object());
  EXPECT_NE(streamed.body.find("[DONE]"), std::string::npos);
  const auto whole = chat_with_fault(Fault::empty_stream, false);
  EXPECT_EQ(whole.status, 200u);
  EXPECT_EQ(whole.body, "");
  for (const char* path : {"/v1/responses", "/v1/messages", "/api/v1/chat"}) {
    http::FetchRequest request("POST", path, "mac:1234");
    request.fields.emplace_back("x-sim-fault", "empty_stream");
    json body = json::parse(chat(true));
    body["input"] = "x";
    request.body = body.dump();
    const std::string text = fetch(std::move(request)).body;
    EXPECT_FALSE(events_of(text).empty());
    for (const char* delta : {"text_delta", "output_text.delta", "message.delta"}) {
      EXPECT_EQ(text.find(delta), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace lmb::sim
