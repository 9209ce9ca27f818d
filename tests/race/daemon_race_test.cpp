// The relay and the shutdown under load, on three shards.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

std::string response_request(const std::string& previous) {
  nlohmann::json body{{"model", model}, {"input", "hello"}, {"max_output_tokens", 4}};
  if (!previous.empty()) body["previous_response_id"] = previous;
  return post("/v1/responses", body.dump());
}

/// Streams, whole answers, conversations, aborts, lists and scrapes, until `stop`.
void run_client(std::uint16_t port, std::uint64_t seed, const std::atomic<bool>& stop,
                std::atomic<int>& answered) {
  std::mt19937_64 random(seed);
  std::string previous;
  while (!stop) {
    try {
      RawClient client(port);
      const auto choice = random() % 7;
      if (choice == 4) {
        client.send(response_request(previous));
        const auto answer = client.read_answer();
        const auto body = nlohmann::json::parse(answer.body, nullptr, false);
        previous = body.is_object() ? body.value("id", "") : "";
        continue;
      }
      if (choice > 4) {
        client.send(get(choice == 5 ? "/v1/models" : std::string("/v1/models/") + model));
        (void)client.read_answer();
        continue;
      }
      client.send(choice == 3 ? get("/metrics") : post("/v1/chat/completions", chat(choice != 2)));
      if (choice == 0) {
        client.read_some(1);
        client.reset();
        continue;
      }
      if (client.read_answer().complete) ++answered;
    } catch (const boost::system::system_error&) {
      return;  // The daemon has stopped listening.
    }
  }
}

/// What operators do, and what befalls workers, until `stop`.
void run_operator(Daemon& daemon, const std::atomic<bool>& stop) {
  std::mt19937_64 random(7);
  while (!stop) {
    const auto worker = random() % daemon.fleet().size();
    const auto name = "w" + std::to_string(worker + 1);
    const auto what = random() % 6;
    if (what == 5) {
      daemon.fleet().with(worker, [&](sim::Worker& it) {
        if (random() % 2 == 0) {
          it.unload(model);
        } else {
          it.restart();
        }
      });
      continue;
    }
    const std::vector<std::string> calls{
        "GET /admin/requests", "GET /admin/workers", "GET /admin/status",
        "POST /admin/workers/" + name + "/drain", "POST /admin/workers/" + name + "/undrain"};
    RawClient client(daemon.admin_port());
    client.send(calls[what] +
                " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                "Content-Length: 0\r\n\r\n");
    EXPECT_LT(client.read_answer().status, 300U);
  }
}

TEST(DaemonRace, relays_aborts_scrapes_and_drains_at_once) {
  for (int round = 0; round < 3; ++round) {
    DaemonOptions options;
    options.threads = 3;
    options.speed = 2000;
    options.adjust = [](config::Config& config) {
      config.upstream.probe_interval = std::chrono::milliseconds(20);
    };
    Daemon daemon(options);
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    const auto port = daemon.port();
    for (std::uint64_t i = 0; i < 6; ++i) {
      clients.emplace_back([&, i] { run_client(port, i + 1, stop, answered); });
    }
    std::atomic<bool> operator_done{false};
    std::thread the_operator([&] { run_operator(daemon, operator_done); });
    EXPECT_TRUE(eventually([&] { return answered > 150; }));
    operator_done = true;
    the_operator.join();
    daemon.server().begin_drain();
    EXPECT_TRUE(eventually([&] { return daemon.server().active() == 0; }));
    stop = true;
    for (auto& client : clients) client.join();
  }
}

/// A fleet of the simulated workers that `chosen` has bits of; one of them under a new name each
/// time.
std::string config_of(Daemon& daemon, std::uint64_t chosen, int round) {
  nlohmann::json workers = nlohmann::json::array();
  for (std::size_t i = 0; i < daemon.fleet().size(); ++i) {
    if ((chosen >> i & 1U) == 0 && i != 0) continue;
    const auto name = "w" + std::to_string(i + 1) + (i == 1 ? "-" + std::to_string(round) : "");
    workers.push_back({{"name", name}, {"url", daemon.fleet().url(i)}, {"weight", 1 + chosen % 3}});
  }
  return nlohmann::json{{"workers", workers}}.dump();
}

TEST(DaemonRace, reloads_while_it_relays) {
  std::string file = ::testing::TempDir() + "lmbalancer-race-XXXXXX";
  ::close(::mkstemp(file.data()));
  DaemonOptions options;
  options.threads = 3;
  options.speed = 2000;
  options.config_file = file;
  Daemon daemon(options);
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  const auto port = daemon.port();
  for (std::uint64_t i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] { run_client(port, i + 1, stop, answered); });
  }
  std::mt19937_64 random(11);
  for (int round = 0; round < 40 || answered < 100; ++round) {
    std::ofstream(file) << config_of(daemon, random(), round);
    RawClient client(daemon.admin_port());
    client.send(
        "POST /admin/reload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200U) << answer.body;
    if (answer.status != 200) break;
  }
  stop = true;
  for (auto& client : clients) client.join();
  std::remove(file.c_str());
}

}  // namespace
}  // namespace lmb::test
