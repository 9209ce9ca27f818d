// Which instance a prompt goes to, and what becomes of one that is not there any more.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;

std::string chat_of(std::size_t words) {
  nlohmann::json body{{"model", model}, {"max_tokens", 3}};
  std::string text;
  for (std::size_t i = 0; i < words; ++i) text += "word ";
  body["messages"] = {{{"role", "user"}, {"content", text}}};
  return post("/v1/chat/completions", body.dump());
}

/// Workers whose instances of the model hold so many tokens.
DaemonOptions with_contexts(std::vector<std::uint64_t> contexts) {
  DaemonOptions options;
  options.workers = contexts.size();
  options.adjust_one = [contexts](std::size_t index, sim::WorkerOptions& worker) {
    sim::ModelOptions loaded;
    loaded.preset = *sim::find_preset(sim::default_preset);
    loaded.preset.model.context_length = contexts[index];
    worker.models = {loaded};
  };
  return options;
}

std::size_t posts(Daemon& daemon, std::size_t worker) {
  const auto seen = daemon.fleet().seen(worker);
  return static_cast<std::size_t>(std::count_if(
      seen.begin(), seen.end(), [](const auto& request) { return request.method == "POST"; }));
}

TEST(InstanceChoice, a_prompt_goes_where_its_context_is_long_enough) {
  Daemon daemon(with_contexts({2'048, 32'768}));
  for (int i = 0; i < 6; ++i) {
    RawClient client(daemon.port());
    client.send(chat_of(8'000));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_EQ(answer.fields.at("x-lmb-worker"), "w2");
  }
  EXPECT_EQ(posts(daemon, 0), 0U);
  RawClient client(daemon.port());
  client.send(chat_of(10));
  EXPECT_EQ(client.read_answer().fields.at("x-lmb-worker"), "w1") << "the one with the least to do";
}

TEST(InstanceChoice, a_prompt_too_long_for_all_is_told_in_lm_studios_words) {
  Daemon daemon(with_contexts({2'048, 4'096}));
  RawClient client(daemon.port());
  client.send(chat_of(20'000));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 400U);
  EXPECT_NE(answer.body.find("context"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.fields.at("x-lmb-attempts"), "1");
  EXPECT_EQ(posts(daemon, 0) + posts(daemon, 1), 1U) << "another worker could not help";
}

TEST(InstanceChoice, one_that_was_unloaded_unseen_is_loaded_again_by_the_same_worker) {
  DaemonOptions options;
  options.workers = 1;
  options.adjust = [](config::Config& config) { config.upstream.probe_interval = 1h; };
  Daemon daemon(options);
  daemon.fleet().with(0, [](sim::Worker& worker) {
    worker.set_error(sim::ErrorAnswer::model_unloaded, sim::FaultScope::generation, 1);
  });
  RawClient client(daemon.port());
  client.send(chat_of(10));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.fields.at("x-lmb-attempts"), "2");
}

TEST(InstanceChoice, one_that_answers_as_if_it_were_not_there_has_its_list_read_at_once) {
  DaemonOptions options;
  options.workers = 2;
  options.adjust = [](config::Config& config) { config.upstream.probe_interval = 1h; };
  Daemon daemon(options);
  const auto lists = [&daemon](std::size_t worker) {
    const auto seen = daemon.fleet().seen(worker);
    return std::count_if(seen.begin(), seen.end(),
                         [](const auto& request) { return request.path == "/api/v1/models"; });
  };
  for (std::size_t i = 0; i < 2; ++i) {
    daemon.fleet().with(i, [](sim::Worker& worker) {
      worker.set_error(sim::ErrorAnswer::no_models_loaded, sim::FaultScope::generation, 1);
    });
  }
  const auto before = lists(0) + lists(1);
  RawClient client(daemon.port());
  client.send(chat_of(10));
  (void)client.read_answer();
  EXPECT_TRUE(eventually([&] { return lists(0) + lists(1) > before; }));
  // What the fresh list shows counts again.
  EXPECT_TRUE(eventually([&] {
    RawClient again(daemon.port());
    again.send(chat_of(10));
    return again.read_answer().status == 200U;
  }));
}

}  // namespace
}  // namespace lmb::test
