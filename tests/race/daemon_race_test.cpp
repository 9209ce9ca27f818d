// The relay and the shutdown under load, on three shards.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

/// Streams, whole answers, aborts and scrapes, until `stop`.
void run_client(std::uint16_t port, std::uint64_t seed, const std::atomic<bool>& stop,
                std::atomic<int>& answered) {
  std::mt19937_64 random(seed);
  while (!stop) {
    try {
      RawClient client(port);
      const auto choice = random() % 4;
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

TEST(DaemonRace, relays_aborts_scrapes_and_drains_at_once) {
  for (int round = 0; round < 3; ++round) {
    DaemonOptions options;
    options.threads = 3;
    options.speed = 2000;
    Daemon daemon(options);
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    const auto port = daemon.port();
    for (std::uint64_t i = 0; i < 6; ++i) {
      clients.emplace_back([&, i] { run_client(port, i + 1, stop, answered); });
    }
    EXPECT_TRUE(eventually([&] { return answered > 40; }));
    daemon.server().begin_drain();
    EXPECT_TRUE(eventually([&] { return daemon.server().active() == 0; }));
    stop = true;
    for (auto& client : clients) client.join();
  }
}

}  // namespace
}  // namespace lmb::test
