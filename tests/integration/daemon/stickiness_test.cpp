// Requests that only some workers can serve: those that go on from an answer which one worker
// keeps, and those for paths that old workers lack.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using nlohmann::json;

RawAnswer ask(const Daemon& daemon, const std::string& path, const json& body) {
  RawClient client(daemon.port());
  client.send(post(path, body.dump()));
  return client.read_answer();
}

json question(const std::string& previous = {}, bool stream = false) {
  json body{{"model", model}, {"input", "hello"}, {"max_output_tokens", 4}, {"stream", stream}};
  if (!previous.empty()) body["previous_response_id"] = previous;
  return body;
}

std::string worker_of(const RawAnswer& answer) {
  const auto found = answer.fields.find("x-lmb-worker");
  return found == answer.fields.end() ? "" : found->second;
}

json error_of(const RawAnswer& answer) {
  return json::parse(answer.body)["error"];
}

struct Kept {
  std::string id;
  std::string worker;
};

Kept responses_answer(const Daemon& daemon) {
  const auto answer = ask(daemon, "/v1/responses", question());
  EXPECT_EQ(answer.status, 200U) << answer.body;
  return {json::parse(answer.body).value("id", ""), worker_of(answer)};
}

TEST(Stickiness, a_conversation_goes_on_where_its_answer_is_kept) {
  const Daemon daemon;
  auto kept = responses_answer(daemon);
  ASSERT_FALSE(kept.id.empty());
  for (int i = 0; i < 6; ++i) {
    const auto next = ask(daemon, "/v1/responses", question(kept.id));
    ASSERT_EQ(next.status, 200U) << next.body;
    EXPECT_EQ(worker_of(next), kept.worker);
    kept.id = json::parse(next.body).value("id", "");
  }
}

TEST(Stickiness, holds_for_streams_and_for_lm_studios_own_chat) {
  const Daemon daemon;
  const auto stream = ask(daemon, "/v1/responses", question("", true));
  ASSERT_EQ(stream.status, 200U) << stream.body;
  const auto at = stream.body.find("\"resp_");
  ASSERT_NE(at, std::string::npos);
  const auto id = stream.body.substr(at + 1, stream.body.find('"', at + 1) - at - 1);
  for (int i = 0; i < 4; ++i) {
    const auto next = ask(daemon, "/v1/responses", question(id));
    EXPECT_EQ(next.status, 200U) << next.body;
    EXPECT_EQ(worker_of(next), worker_of(stream));
  }
  const auto chatted = ask(daemon, "/api/v1/chat", question());
  ASSERT_EQ(chatted.status, 200U) << chatted.body;
  const auto chat_id = json::parse(chatted.body).value("response_id", "");
  for (int i = 0; i < 4; ++i) {
    const auto next = ask(daemon, "/api/v1/chat", question(chat_id));
    EXPECT_EQ(next.status, 200U) << next.body;
    EXPECT_EQ(worker_of(next), worker_of(chatted));
  }
}

TEST(Stickiness, an_id_that_nobody_remembers_is_told_so) {
  const Daemon daemon;
  const auto answer = ask(daemon, "/v1/responses", question("resp_before_the_restart"));
  EXPECT_EQ(answer.status, 409U);
  const auto error = error_of(answer);
  EXPECT_EQ(error["code"], "previous_response_not_found");
  EXPECT_EQ(error["param"], "previous_response_id");
  EXPECT_NE(std::string(error["message"]).find("restart"), std::string::npos) << error;
}

TEST(Stickiness, with_one_worker_that_one_judges_every_id) {
  DaemonOptions options;
  options.workers = 1;
  const Daemon daemon(options);
  const auto answer = ask(daemon, "/v1/responses", question("resp_unknown"));
  EXPECT_EQ(worker_of(answer), "w1");
  EXPECT_NE(answer.status, 409U) << answer.body;
}

TEST(Stickiness, a_home_that_is_away_is_named) {
  DaemonOptions options;
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = std::chrono::milliseconds(20);
  };
  Daemon daemon(options);
  const auto kept = responses_answer(daemon);
  const auto number = static_cast<std::uint32_t>(std::stoul(kept.worker.substr(1)) - 1);
  daemon.fleet().set_fault(number, sim::Fault::refuse);
  ASSERT_TRUE(eventually([&] {
    return daemon.server().fleet().workers[number].state == scheduling::WorkerState::down;
  }));
  const auto answer = ask(daemon, "/v1/responses", question(kept.id));
  EXPECT_EQ(answer.status, 409U);
  EXPECT_EQ(error_of(answer)["code"], "response_away");
  EXPECT_NE(std::string(error_of(answer)["message"]).find(": " + kept.worker), std::string::npos);
  daemon.fleet().set_fault(number, sim::Fault::none);
  EXPECT_TRUE(
      eventually([&] { return ask(daemon, "/v1/responses", question(kept.id)).status == 200U; }));
}

TEST(Stickiness, a_home_that_lacks_the_model_is_named) {
  DaemonOptions options;
  options.workers = 2;
  constexpr const char* other_model = "openai/gpt-oss-20b";
  options.adjust_one = [](std::size_t index, sim::WorkerOptions& worker) {
    sim::ModelOptions own;
    own.preset = *sim::find_preset(sim::default_preset);
    worker.models = {own};
    if (index == 0) return;
    own.preset.model.key = other_model;
    worker.models.push_back(own);
  };
  const Daemon daemon(options);
  auto kept = responses_answer(daemon);
  while (kept.worker != "w1") kept = responses_answer(daemon);
  auto body = question(kept.id);
  body["model"] = other_model;
  const auto answer = ask(daemon, "/v1/responses", body);
  EXPECT_EQ(answer.status, 409U) << answer.body;
  EXPECT_EQ(error_of(answer)["code"], "response_away");
  EXPECT_NE(std::string(error_of(answer)["message"]).find("w1, which does not have this model"),
            std::string::npos)
      << answer.body;
}

/// The first `old` of three workers are too old for /v1/responses.
DaemonOptions with_old_workers(std::size_t old) {
  DaemonOptions options;
  options.adjust_one = [old](std::size_t index, sim::WorkerOptions& worker) {
    if (index < old) worker.version = {0, 3, 6};
  };
  return options;
}

double failures(const Daemon& daemon, int worker) {
  return daemon.metric("lmbalancer_attempt_failures_total{kind=\"route_unsupported\",worker=\"w" +
                       std::to_string(worker) + "\"}");
}

TEST(RouteGaps, a_worker_that_lacks_a_route_is_asked_once) {
  Daemon daemon(with_old_workers(2));
  for (int i = 0; i < 8; ++i) {
    const auto answer = ask(daemon, "/v1/responses", question());
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_EQ(worker_of(answer), "w3");
  }
  EXPECT_LE(failures(daemon, 1), 1);
  EXPECT_LE(failures(daemon, 2), 1);
  EXPECT_GE(failures(daemon, 1) + failures(daemon, 2), 1);
  std::set<std::string> chatted;
  for (int i = 0; i < 6; ++i) {
    RawClient client(daemon.port());
    client.send(post("/v1/chat/completions", chat(false, 4)));
    chatted.insert(worker_of(client.read_answer()));
  }
  EXPECT_EQ(chatted.size(), 3U) << "no fault: the routes that they have are still theirs";
}

TEST(RouteGaps, cost_no_attempt) {
  auto options = with_old_workers(2);
  options.adjust = [](config::Config& config) { config.retry.attempts_max = 1; };
  Daemon daemon(options);
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(daemon, "/v1/responses", question());
    EXPECT_EQ(answer.status, 200U) << answer.body;
  }
}

TEST(RouteGaps, a_route_that_nobody_has_is_not_implemented) {
  Daemon daemon(with_old_workers(3));
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(daemon, "/v1/responses", question());
    EXPECT_EQ(answer.status, 501U) << answer.body;
    EXPECT_EQ(error_of(answer)["code"], "route_unsupported");
  }
  for (int worker = 1; worker <= 3; ++worker) EXPECT_EQ(failures(daemon, worker), 1) << worker;
  for (const auto& worker : daemon.server().fleet().workers) {
    EXPECT_EQ(worker.state, scheduling::WorkerState::up) << worker.name;
  }
}

}  // namespace
}  // namespace lmb::test
