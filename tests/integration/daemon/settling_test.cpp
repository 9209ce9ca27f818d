// Clients that leave before they have a token: LM Studio goes on with their prompts, and its own
// queue must stay empty nevertheless.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t slots = 2;

/// One worker on which a prompt of long_prompt() takes about half a second.
DaemonOptions settling(Duration longest) {
  DaemonOptions options;
  options.workers = 1;
  options.speed = 10;
  options.adjust_worker = [](sim::WorkerOptions& worker) {
    sim::ModelOptions loaded;
    loaded.preset = *sim::find_preset(sim::default_preset);
    loaded.parallel = slots;
    worker.models = {loaded};
    worker.answer_tokens = 50'000;
  };
  options.adjust = [longest](config::Config& config) {
    config.scheduling.abandon_settle_max = longest;
  };
  return options;
}

/// Each one another, so that no cache knows it.
std::string long_prompt(int number) {
  nlohmann::json body{{"model", model}, {"stream", true}, {"max_tokens", 3}};
  std::string text = "Story " + std::to_string(number) + ": ";
  for (int i = 0; i < 4'000; ++i) text += "word" + std::to_string(i % 997) + ' ';
  body["messages"] = {{{"role", "user"}, {"content", text}}};
  return post("/v1/chat/completions", body.dump());
}

/// Clients that give up before the first token and ask again, as SDKs do after a time-out; what
/// they have left behind on the worker when somebody patient comes.
std::uint32_t hidden_queue_after_a_storm(Duration longest) {
  Daemon daemon(settling(longest));
  int prompts = 0;
  for (int round = 0; round < 3; ++round) {
    const auto begun = daemon.fleet().counters(0).prompts;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::uint32_t i = 0; i < slots; ++i) {
      clients.push_back(std::make_unique<RawClient>(daemon.port()));
      clients.back()->send(long_prompt(++prompts));
    }
    // The first prompt is being read, and would be finished without its client.
    EXPECT_TRUE(eventually([&] { return daemon.fleet().counters(0).prompts > begun; }));
    for (auto& client : clients) client->close();
    EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
  }
  RawClient patient(daemon.port());
  patient.send(long_prompt(++prompts));
  const auto answer = patient.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_TRUE(answer.complete);
  return daemon.fleet().counters(0).waiting_max;
}

TEST(Settling, keeps_the_workers_hidden_queue_empty_in_a_storm_of_retries) {
  EXPECT_EQ(hidden_queue_after_a_storm(2s), 0U);
}

TEST(Settling, is_what_keeps_it_empty) {
  EXPECT_GT(hidden_queue_after_a_storm(0s), 0U) << "the storm above shows nothing";
}

}  // namespace
}  // namespace lmb::test
