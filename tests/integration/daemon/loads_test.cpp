// Models that are loaded on demand: one load for all who wait, whoever leaves, fails or hangs.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;
using sim::LoadFault;

constexpr const char* other_preset = "m2-ultra-8b";

sim::ModelOptions on_disk(std::string_view preset, Duration load_time, LoadFault fault) {
  sim::ModelOptions options;
  options.preset = *sim::find_preset(preset);
  options.loaded = false;
  options.load_time = load_time;
  options.load_fault = fault;
  return options;
}

/// Workers with `model` on disk, whose loads take a fifth of a second, and whose catalogues nobody
/// reads in the meantime but for the loads' sake.
DaemonOptions cold(std::size_t workers, LoadFault fault = LoadFault::none) {
  DaemonOptions options;
  options.workers = workers;
  options.threads = 2;
  options.speed = 50;
  options.adjust_worker = [fault](sim::WorkerOptions& worker) {
    worker.models = {on_disk(sim::default_preset, 10s, fault)};
    worker.answer_tokens = 50'000;  // Only max_tokens ends an answer.
    // The worst that LM Studio may do when the client of a load leaves.
    worker.cancel_load_on_disconnect = true;
  };
  options.adjust = [](config::Config& config) { config.upstream.probe_interval = 1h; };
  return options;
}

std::string chat_with(std::string_view name, int max_tokens = 5) {
  nlohmann::json body{{"model", name}, {"stream", true}, {"max_tokens", max_tokens}};
  body["messages"] = {{{"role", "user"}, {"content", "Hello there"}}};
  return post("/v1/chat/completions", body.dump());
}

std::string message_of(const RawAnswer& answer) {
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  return body.is_discarded() ? answer.body : body["error"].value("message", "");
}

/// Loads begun by requests, over the fleet.
std::uint64_t loads(Daemon& daemon) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < daemon.fleet().size(); ++i) sum += daemon.fleet().counters(i).loads;
  return sum;
}

bool queued(Daemon& daemon, std::size_t count) {
  return eventually([&] { return daemon.server().fleet().queued == count; });
}

/// No worker ever had two instances of `name`.
void expect_no_twins(Daemon& daemon, const std::string& name) {
  for (std::size_t i = 0; i < daemon.fleet().size(); ++i) {
    for (const auto& instance : daemon.fleet().instances(i)) {
      EXPECT_NE(instance.id, name + ":2") << "worker " << i;
    }
  }
}

TEST(Loads, of_one_model_for_two_clients_are_one) {
  Daemon daemon(cold(1));
  const auto before = loads(daemon);
  RawClient leader(daemon.port());
  RawClient follower(daemon.port());
  leader.send(chat_with(model, 20'000));
  ASSERT_TRUE(eventually([&] { return loads(daemon) == before + 1; }));
  follower.send(chat_with(model));
  ASSERT_TRUE(queued(daemon, 1));
  EXPECT_EQ(daemon.server().fleet().holds.load, 1U);
  EXPECT_EQ(daemon.server().fleet().workers[0].loading, model);
  // The follower gets its slot when the catalogue shows the instance, while the leader goes on.
  EXPECT_EQ(follower.read_answer().status, 200U);
  EXPECT_LE(daemon.fleet().counters(0).finished, 1U) << "the leader's goes on";
  EXPECT_EQ(loads(daemon), before + 1);
  expect_no_twins(daemon, model);
  EXPECT_EQ(daemon.server().fleet().workers[0].loading, "");
  leader.reset();
}

TEST(Loads, and_those_who_wait_for_them_are_told_on_the_admin_pages) {
  Daemon daemon(cold(1, LoadFault::hangs));
  RawClient leader(daemon.port());
  RawClient follower(daemon.port());
  leader.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return daemon.in_flight() == 1; }));
  follower.send(chat_with(model));
  ASSERT_TRUE(queued(daemon, 1));
  const auto page = [&daemon](const char* path) {
    RawClient client(daemon.admin_port());
    client.send(std::string("GET ") + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return nlohmann::json::parse(client.read_answer().body, nullptr, false);
  };
  const auto worker = page("/admin/workers").at("workers").at(0);
  EXPECT_EQ(worker.at("loading"), model);
  EXPECT_TRUE(worker.at("switching_to").is_null());
  EXPECT_EQ(page("/admin/status").at("totals").at("holds").at("load"), 1);
  leader.close();
  follower.close();
}

TEST(Loads, go_on_for_those_who_wait_when_the_client_that_caused_one_leaves) {
  Daemon daemon(cold(1));
  const auto before = loads(daemon);
  RawClient leader(daemon.port());
  RawClient follower(daemon.port());
  leader.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return loads(daemon) == before + 1; }));
  follower.send(chat_with(model));
  ASSERT_TRUE(queued(daemon, 1));
  leader.close();
  const auto answer = follower.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(loads(daemon), before + 1) << "the worker was made to load it again";
  EXPECT_EQ(daemon.fleet().counters(0).unloads, 0U);
  expect_no_twins(daemon, model);
}

TEST(Loads, that_nobody_waits_for_end_with_their_client) {
  Daemon daemon(cold(1, LoadFault::hangs));
  const auto before = loads(daemon);
  RawClient leader(daemon.port());
  leader.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return loads(daemon) == before + 1; }));
  leader.close();
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
}

TEST(Loads, that_fail_are_told_in_the_workers_words_and_not_tried_again_at_once) {
  Daemon daemon(cold(1, LoadFault::refused));
  const auto generations = [&daemon] {
    const auto seen = daemon.fleet().seen(0);
    return std::count_if(seen.begin(), seen.end(),
                         [](const auto& request) { return request.method == "POST"; });
  };
  for (int i = 0; i < 2; ++i) {
    RawClient client(daemon.port());
    client.send(chat_with(model));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 503U) << answer.body;
    EXPECT_EQ(answer.fields.count("retry-after"), 1U);
    EXPECT_NE(message_of(answer).find("insufficient system resources"), std::string::npos)
        << i << ": " << answer.body;
  }
  EXPECT_EQ(generations(), 1) << "the second client was told what the first one had met";
}

TEST(Loads, that_fail_on_one_worker_are_made_by_another) {
  Daemon daemon(cold(2));
  daemon.fleet().with(0, [](sim::Worker& worker) {
    EXPECT_TRUE(worker.set_load_fault(model, LoadFault::refused));
  });
  for (int i = 0; i < 2; ++i) {
    RawClient client(daemon.port());
    client.send(chat_with(model));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_EQ(answer.fields.at("x-lmb-worker"), "w2");
  }
}

TEST(Loads, that_hang_send_those_who_wait_to_another_worker) {
  auto options = cold(2, LoadFault::hangs);
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = 1h;
    config.scheduling.models.load_timeout = 1s;
  };
  Daemon daemon(options);
  const auto before = loads(daemon);
  RawClient leader(daemon.port());
  RawClient follower(daemon.port());
  leader.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return loads(daemon) == before + 1; }));
  for (std::size_t i = 0; i < 2; ++i) {
    daemon.fleet().with(
        i, [](sim::Worker& worker) { EXPECT_TRUE(worker.set_load_fault(model, LoadFault::none)); });
  }
  follower.send(chat_with(model));
  const auto answer = follower.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(loads(daemon), before + 2) << "one hangs, one came to its end";
  expect_no_twins(daemon, model);
  leader.close();
}

TEST(Loads, that_hang_are_given_up_for_the_client_that_began_them) {
  auto options = cold(2, LoadFault::hangs);
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = 1h;
    config.scheduling.models.load_timeout = 1s;
  };
  Daemon daemon(options);
  const auto before = loads(daemon);
  RawClient leader(daemon.port());
  leader.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return loads(daemon) == before + 1; }));
  for (std::size_t i = 0; i < 2; ++i) {
    daemon.fleet().with(
        i, [](sim::Worker& worker) { EXPECT_TRUE(worker.set_load_fault(model, LoadFault::none)); });
  }
  const auto answer = leader.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.fields.at("x-lmb-attempts"), "2");
  EXPECT_EQ(daemon.metric("lmbalancer_limit_hits_total{limit=\"models.load_timeout\"}"), 1);
}

TEST(Loads, that_hang_on_the_only_worker_refuse_those_who_wait) {
  auto options = cold(1, LoadFault::hangs);
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = 1h;
    config.scheduling.models.load_timeout = 1s;
  };
  Daemon daemon(options);
  RawClient leader(daemon.port());
  RawClient follower(daemon.port());
  leader.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return daemon.in_flight() == 1; }));
  follower.send(chat_with(model));
  const auto answer = follower.read_answer();
  EXPECT_EQ(answer.status, 503U) << answer.body;
  EXPECT_NE(message_of(answer).find("models.load_timeout"), std::string::npos) << answer.body;
  const auto first = leader.read_answer();
  EXPECT_EQ(first.status, 504U) << first.body;
  EXPECT_NE(first.body.find("load_timeout"), std::string::npos) << first.body;
}

TEST(Loads, that_no_cold_request_began_are_given_up_too) {
  DaemonOptions options;
  options.workers = 1;
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = 1h;
    config.scheduling.models.load_timeout = 1s;
  };
  Daemon daemon(options);
  const auto before = loads(daemon);
  daemon.fleet().with(0, [](sim::Worker& worker) {
    EXPECT_TRUE(worker.set_load_fault(model, LoadFault::hangs));
    EXPECT_TRUE(worker.unload(model));
  });
  RawClient stream(daemon.port());
  stream.send(chat_with(model));
  ASSERT_TRUE(eventually([&] { return loads(daemon) == before + 1; }));
  EXPECT_EQ(daemon.server().fleet().workers[0].loading, "") << "nobody knows of this load";
  // What brings the list to be read before the next probe.
  daemon.fleet().with(0, [](sim::Worker& worker) {
    worker.set_error(sim::ErrorAnswer::model_unloaded, sim::FaultScope::generation, 1);
  });
  RawClient other(daemon.port());
  other.send(chat_with(model));
  const auto answer = stream.read_answer();
  EXPECT_EQ(answer.status, 504U) << answer.body;
  EXPECT_NE(answer.body.find("load_timeout"), std::string::npos) << answer.body;
  EXPECT_GE(daemon.metric("lmbalancer_limit_hits_total{limit=\"models.load_timeout\"}"), 1);
}

TEST(Loads, of_another_model_wait_until_the_worker_has_finished_what_it_runs) {
  auto options = cold(1);
  const std::string other = sim::find_preset(other_preset)->model.key;
  options.adjust_worker = [](sim::WorkerOptions& worker) {
    worker.models = {on_disk(sim::default_preset, 20s, LoadFault::none),
                     on_disk(other_preset, 20s, LoadFault::none)};
    worker.answer_tokens = 50'000;
  };
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = 1h;
    config.scheduling.models.switch_after = 50ms;
  };
  Daemon daemon(options);
  RawClient running(daemon.port());
  RawClient waiting(daemon.port());
  running.send(chat_with(model, 10'000));
  EXPECT_TRUE(running.read_some(500).starts_with("HTTP/1.1 200")) << "it generates";
  waiting.send(chat_with(other));
  ASSERT_TRUE(queued(daemon, 1));
  EXPECT_TRUE(eventually([&] { return daemon.server().fleet().workers[0].switching_to == other; }));
  const auto first = running.read_answer();
  EXPECT_TRUE(first.complete);
  EXPECT_NE(first.body.find("[DONE]"), std::string::npos) << "it was evicted while it ran";
  const auto second = waiting.read_answer();
  EXPECT_EQ(second.status, 200U) << second.body;
  EXPECT_EQ(daemon.fleet().counters(0).killed, 0U);
}

TEST(ModelNames, that_are_aliases_or_have_fallbacks_reach_a_model) {
  DaemonOptions options;
  options.workers = 1;
  options.adjust = [](config::Config& config) {
    config.scheduling.models.aliases = {{"gpt-4o", model}};
    config.scheduling.models.fallbacks = {{"the-big-one", {"nobody-has-it", model}}};
  };
  Daemon daemon(options);
  for (const std::string name : {"gpt-4o", "the-big-one"}) {
    RawClient client(daemon.port());
    client.send(chat_with(name));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U) << name << answer.body;
    EXPECT_EQ(daemon.fleet().seen(0).back().model, model) << name;
  }
}

TEST(ModelNames, that_nobody_has_are_answered_with_the_nearest) {
  DaemonOptions options;
  options.workers = 1;
  options.adjust = [](config::Config& config) {
    config.scheduling.models.aliases = {{"gpt-4o", model}};
  };
  Daemon daemon(options);
  const auto told = [&daemon](const std::string& name) {
    RawClient client(daemon.port());
    client.send(chat_with(name));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 404U) << answer.body;
    return message_of(answer);
  };
  EXPECT_NE(told("qwen/qwen3-30b-a3").find(std::string("did you mean \"") + model + "\"?"),
            std::string::npos);
  EXPECT_NE(told("gpt-4").find("did you mean \"gpt-4o\"?"), std::string::npos);
  EXPECT_EQ(told("zzzzzzzzzzzzzzzzz").find("did you mean"), std::string::npos);
}

}  // namespace
}  // namespace lmb::test
