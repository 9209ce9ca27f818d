// The config file read again while requests run: docs/adr/0010-reload.md.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "integration/admin/admin_client.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using nlohmann::json;

constexpr const char* route = "/v1/chat/completions";

class Reload : public ::testing::Test {
 protected:
  ~Reload() override { std::remove(file_.c_str()); }

  /// Three simulated workers, of which the daemon begins with the first `used`.
  Daemon& begin(std::size_t used, double speed = 200,
                std::function<void(std::size_t, sim::WorkerOptions&)> adjust_one = {}) {
    DaemonOptions options;
    options.speed = speed;
    options.config_file = file_;
    options.adjust_one = std::move(adjust_one);
    options.adjust = [this, used](config::Config& config) {
      config.fleet.resize(used);
      config.addresses.resize(used);
      config.scheduling.no_worker_grace = std::chrono::seconds(20);
      config.scheduling.abandon_settle_max = scheduling::SchedulerOptions().abandon_settle_max;
      if (adjust) adjust(config);
    };
    daemon_ = std::make_unique<Daemon>(options);
    return *daemon_;
  }
  Daemon& daemon() { return *daemon_; }

  /// A worker of the file, at the simulated one with that index.
  json worker(const std::string& name, std::size_t simulated) {
    return {{"name", name}, {"url", daemon().fleet().url(simulated)}};
  }
  void write(const std::string& text) const { std::ofstream(file_) << text; }
  void write(const std::vector<json>& workers) const {
    write(json{{"listen", "127.0.0.1:0"},
               {"threads", 2},
               {"admin", {{"listen", "127.0.0.1:0"}}},
               {"queue", {{"no_worker_grace", "20s"}}},
               {"workers", workers}}
              .dump());
  }
  RawAnswer reload() { return post_admin(daemon(), "/admin/reload"); }
  json reloaded(const std::vector<json>& workers) {
    write(workers);
    const auto answer = reload();
    EXPECT_EQ(answer.status, 200U) << answer.body;
    return json::parse(answer.body);
  }
  static json told(std::vector<std::string> added, std::vector<std::string> removed,
                   std::vector<std::string> changed) {
    return {{"added", added},
            {"removed", removed},
            {"changed", changed},
            {"restart_needed", json::array()}};
  }

  RawAnswer ask() {
    RawClient client(daemon().port());
    client.send(post(route, chat(false)));
    return client.read_answer();
  }
  /// Some request is served by that worker, and none fails until then.
  bool serves(const std::string& name) {
    return eventually([&] {
      const auto answer = ask();
      EXPECT_EQ(answer.status, 200U) << answer.body;
      return answer.status != 200 || worker_of(answer) == name;
    });
  }
  static std::string worker_of(const RawAnswer& answer) {
    const auto found = answer.fields.find("x-lmb-worker");
    return found == answer.fields.end() ? "" : found->second;
  }
  /// A stream that has begun.
  std::unique_ptr<RawClient> stream(int tokens = 400) {
    auto client = std::make_unique<RawClient>(daemon().port());
    client->send(post(route, chat(true, tokens)));
    client->read_some(1);
    return client;
  }
  /// What runs on the simulated worker stands still until it is let go.
  void hold(std::size_t simulated, bool held = true) {
    daemon().fleet().with(simulated, [held](sim::Worker& it) { it.wedge(held); });
  }
  static void ends_whole(RawClient& client, const std::string& name) {
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.complete) << "the stream was cut";
    EXPECT_NE(answer.body.find("[DONE]"), std::string::npos);
    EXPECT_EQ(worker_of(answer), name);
  }
  json workers() { return read_admin(daemon(), "/admin/workers").at("workers"); }

  std::function<void(config::Config&)> adjust;

 private:
  static std::string new_name() {
    std::string name = ::testing::TempDir() + "lmbalancer-reload-XXXXXX";
    ::close(::mkstemp(name.data()));
    return name;
  }
  std::string file_ = new_name();
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(Reload, of_the_same_workers_changes_nothing) {
  begin(2);
  EXPECT_EQ(reloaded({worker("w2", 1), worker("w1", 0)}), told({}, {}, {}));
  EXPECT_EQ(ask().status, 200U);
  EXPECT_EQ(daemon().metric(R"(lmbalancer_config_reloads_total{result="ok"})"), 1);
}

TEST_F(Reload, a_worker_that_is_added_gets_requests) {
  begin(1);
  EXPECT_EQ(reloaded({worker("w1", 0), worker("new", 2)}), told({"new"}, {}, {}));
  EXPECT_TRUE(serves("new"));
  EXPECT_TRUE(eventually([&] {
    constexpr auto answered =
        R"(lmbalancer_requests_total{code="200",route="/v1/chat/completions",worker="new"})";
    return daemon().metric(answered) > 0;
  }));
  EXPECT_EQ(daemon().metric(R"(lmbalancer_worker_up{worker="new"})"), 1);
  const auto page = workers();
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[1].at("name"), "new");
  EXPECT_EQ(page[1].at("url"), daemon().fleet().url(2));
}

TEST_F(Reload, a_worker_that_is_removed_ends_its_stream_whole_and_gets_nothing_new) {
  begin(1, 5);
  const auto running = stream();
  hold(0);
  EXPECT_EQ(reloaded({worker("w2", 1)}), told({"w2"}, {"w1"}, {}));
  const auto page = workers();
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].at("name"), "w1");
  EXPECT_EQ(page[0].at("retired"), true);
  EXPECT_EQ(page[0].at("in_flight"), 1);
  EXPECT_EQ(read_admin(daemon(), "/admin/status").at("totals").at("workers"), 1);
  EXPECT_EQ(read_admin(daemon(), "/admin/requests").at("requests")[0].at("worker"), "w1");
  EXPECT_EQ(daemon().metric(R"(lmbalancer_inflight_requests{worker="w1"})"), 1);
  EXPECT_EQ(post_admin(daemon(), "/admin/workers/w1/drain").status, 404U);
  EXPECT_TRUE(serves("w2"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(worker_of(ask()), "w2");
  hold(0, false);
  ends_whole(*running, "w1");
  EXPECT_TRUE(eventually([&] { return workers().size() == 1; }));
  EXPECT_EQ(daemon().metrics().find("\"w1\""), std::string::npos) << "its series are still told";
}

TEST_F(Reload, a_worker_that_moves_serves_from_its_new_address_while_the_old_one_finishes) {
  begin(1, 5);
  const auto running = stream();
  hold(0);
  EXPECT_EQ(reloaded({worker("w1", 1)}), told({}, {}, {"w1"}));
  EXPECT_TRUE(serves("w1"));
  EXPECT_EQ(daemon().metric(R"(lmbalancer_worker_up{worker="w1"})"), 1);
  EXPECT_EQ(daemon().metric(R"(lmbalancer_inflight_requests{worker="w1"})"), 1);
  hold(0, false);
  ends_whole(*running, "w1");
  EXPECT_EQ(daemon().fleet().counters(0).started, 1U) << "the old address was asked again";
  EXPECT_TRUE(eventually([&] { return workers().size() == 1; }));
  EXPECT_EQ(workers()[0].at("url"), daemon().fleet().url(1));
}

TEST_F(Reload, a_new_key_is_used_at_once) {
  adjust = [](config::Config& config) {
    config.upstream.probe_interval = std::chrono::hours(1);
    config.scheduling.health.failures_down = 1;
    config.scheduling.health.successes_up = 1;
  };
  begin(1, 200, [](std::size_t, sim::WorkerOptions& options) { options.api_token = "right"; });
  ASSERT_EQ(daemon().server().fleet().workers[0].state, scheduling::WorkerState::down);
  auto keyed = worker("w1", 0);
  keyed["api_key"] = "right";
  EXPECT_EQ(reloaded({keyed}).at("changed"), json{"w1"});
  EXPECT_EQ(ask().status, 200U);
}

TEST_F(Reload, a_file_with_errors_changes_nothing_and_every_error_is_told) {
  begin(1);
  write(R"({"listn": "x", "workers": [{"name": "w1", "url": "ftp://x"}]})");
  const auto refused = reload();
  EXPECT_EQ(refused.status, 400U);
  const auto error = json::parse(refused.body).at("error");
  EXPECT_EQ(error.at("code"), "config_invalid");
  ASSERT_EQ(error.at("problems").size(), 2U) << refused.body;
  EXPECT_EQ(error.at("problems")[0].at("path"), "listn");
  EXPECT_EQ(error.at("problems")[1].at("path"), "workers[0].url");
  EXPECT_EQ(worker_of(ask()), "w1");
  EXPECT_EQ(daemon().metric(R"(lmbalancer_config_reloads_total{result="failed"})"), 1);
  EXPECT_EQ(daemon().metric("lmbalancer_config_last_reload_successful"), 0);
  EXPECT_EQ(reloaded({worker("w1", 0)}), told({}, {}, {}));
  EXPECT_EQ(daemon().metric("lmbalancer_config_last_reload_successful"), 1);
}

TEST_F(Reload, what_needs_a_restart_is_told_and_the_rest_is_done) {
  begin(1);
  write(json{{"listen", "127.0.0.1:0"},
             {"threads", 1},
             {"admin", {{"listen", "127.0.0.1:0"}}},
             {"queue", {{"no_worker_grace", "20s"}, {"length", 7}}},
             {"workers", {worker("w1", 0), worker("w3", 2)}}}
            .dump());
  const auto answer = reload();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  const auto told = json::parse(answer.body);
  EXPECT_EQ(told.at("restart_needed"), (json{"threads", "queue.length"}));
  EXPECT_EQ(told.at("added"), json{"w3"});
  EXPECT_TRUE(serves("w3"));
}

TEST_F(Reload, a_worker_that_comes_back_still_counts_what_it_runs) {
  begin(2, 5);
  const auto running = stream();
  const auto snapshot = daemon().server().fleet();
  const bool first = snapshot.workers[0].in_flight == 1;
  const std::string name = first ? "w1" : "w2";
  const std::size_t simulated = first ? 0 : 1;
  hold(simulated);
  const auto other = worker(first ? "w2" : "w1", 1 - simulated);
  EXPECT_EQ(reloaded({other}), told({}, {name}, {}));
  EXPECT_EQ(reloaded({other, worker(name, simulated)}), told({name}, {}, {}));
  const auto after = daemon().server().fleet();
  ASSERT_EQ(after.workers.size(), 2U);
  const auto& back = after.workers[simulated];
  EXPECT_EQ(back.name, name);
  EXPECT_FALSE(back.retired);
  EXPECT_EQ(back.in_flight, 1U);
  hold(simulated, false);
  EXPECT_TRUE(serves(name));
  ends_whole(*running, name);
}

TEST_F(Reload, more_slots_serve_those_that_wait) {
  adjust = [](config::Config& config) { config.fleet[0].slots = 1; };
  begin(1, 5);
  const auto running = stream();
  hold(0);
  RawClient waiting(daemon().port());
  waiting.send(post(route, chat(true, 400)));
  ASSERT_TRUE(eventually([&] { return daemon().server().fleet().queued == 1; }));
  auto wider = worker("w1", 0);
  wider["slots"] = 2;
  EXPECT_EQ(reloaded({wider}), told({}, {}, {"w1"}));
  EXPECT_EQ(daemon().server().fleet().queued, 0U);
  hold(0, false);
  ends_whole(*running, "w1");
  ends_whole(waiting, "w1");
}

TEST_F(Reload, sixty_four_places_count_those_that_still_finish) {
  begin(1, 5);
  const auto running = stream();
  hold(0);
  std::vector<json> fleet;
  for (int i = 0; i < 64; ++i) {
    fleet.push_back({{"name", "absent-" + std::to_string(i)},
                     {"url", "http://127.0.0.77:" + std::to_string(2000 + i)}});
  }
  write(fleet);
  const auto refused = reload();
  EXPECT_EQ(refused.status, 400U) << refused.body;
  EXPECT_EQ(json::parse(refused.body).at("error").at("problems")[0].at("path"), "workers");
  EXPECT_EQ(daemon().server().fleet().workers.size(), 1U) << "half of it was done";
  fleet.pop_back();
  EXPECT_EQ(reloaded(fleet).at("added").size(), 63U);
  EXPECT_EQ(daemon().server().fleet().workers.size(), 64U);
  hold(0, false);
  ends_whole(*running, "w1");
  EXPECT_TRUE(eventually([&] { return daemon().server().fleet().workers.size() == 63; }));
  EXPECT_EQ(reloaded({worker("w2", 1)}).at("removed").size(), 63U);
  EXPECT_TRUE(serves("w2"));
}

TEST_F(Reload, again_and_again_under_load_loses_no_request) {
  begin(3, 50);
  for (int round = 0; round < 12; ++round) {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<RawClient>(daemon().port()));
      clients.back()->send(post(route, chat(true, 60)));
    }
    std::vector<json> fleet{worker("keeps", 0)};
    if (round % 2 == 0) fleet.push_back(worker("comes" + std::to_string(round), 1));
    if (round % 3 == 0) fleet.push_back(worker("goes", 2));
    (void)reloaded(fleet);
    for (auto& client : clients) {
      const auto answer = client->read_answer();
      EXPECT_EQ(answer.status, 200U) << answer.body;
      EXPECT_TRUE(answer.complete);
    }
  }
  EXPECT_EQ(daemon().metric(R"(lmbalancer_config_reloads_total{result="ok"})"), 12);
}

}  // namespace
}  // namespace lmb::test
