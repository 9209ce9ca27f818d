#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <vector>

#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/net/shard.hpp"

namespace lmb {
namespace {

constexpr std::size_t shard_count = 3;
constexpr std::size_t tasks_per_shard = 400;
constexpr std::uint32_t slots = 2;

struct Tally {
  std::atomic<int> granted{0};
  std::atomic<int> refused{0};
  std::atomic<int> left{0};
  std::atomic<int> holding{0};
  std::atomic<int> holding_max{0};
  std::atomic<int> done{0};
};

void note_holding(Tally& tally) {
  const int now = ++tally.holding;
  int seen = tally.holding_max.load();
  while (now > seen && !tally.holding_max.compare_exchange_weak(seen, now)) {
  }
}

/// Waits for a slot, gives up after a random short time, holds it for another.
net::Task<void> task(net::Shard& shard, dispatch::Dispatcher& dispatcher, Tally& tally,
                     std::uint64_t seed) {
  std::mt19937_64 random(seed);
  net::Bell bell;
  net::Deadline patience(shard.deadlines(), bell);
  scheduling::Demand demand;
  demand.model = "m";
  demand.deadline = Clock::now() + std::chrono::milliseconds(1 + random() % 400);
  dispatch::Acquisition acquisition(dispatcher, shard.index(), demand, bell);
  if (random() % 2 == 0) patience.set(Clock::now() + std::chrono::milliseconds(random() % 300));
  while (!acquisition.settled() && !patience.passed()) co_await bell.wait();
  if (!acquisition.settled()) {
    ++tally.left;
    ++tally.done;
    co_return;
  }
  auto lease = acquisition.take();
  if (!lease) {
    ++tally.refused;
    ++tally.done;
    co_return;
  }
  note_holding(tally);
  ++tally.granted;
  patience.clear();
  if (random() % 4 == 0) {
    patience.set(Clock::now() + std::chrono::milliseconds(1));
    while (!patience.passed()) co_await bell.wait();
  }
  --tally.holding;
  if (random() % 2 == 0) lease->finish(scheduling::Outcome::answered);
  ++tally.done;
}

TEST(DispatcherRace, no_slot_is_lost_or_given_twice_when_grants_race_with_leaving) {
  std::vector<std::unique_ptr<net::Shard>> shards;
  dispatch::Dispatcher::Setup setup;
  for (std::size_t i = 0; i < shard_count; ++i) {
    shards.push_back(std::make_unique<net::Shard>(i, [](const char* what) { FAIL() << what; }));
    setup.shards.emplace_back(shards.back()->context().get_executor());
  }
  setup.options.queue_length = 10'000;
  for (const auto* name : {"a", "b", "c"}) {
    scheduling::WorkerSpec worker;
    worker.name = name;
    worker.slots = slots;
    setup.fleet.push_back(worker);
  }
  dispatch::Dispatcher dispatcher(setup);
  scheduling::ModelOffer model;
  model.key = "m";
  model.instances.push_back({.id = "m"});
  scheduling::Offers offers;
  offers.models.push_back(model);
  for (std::uint32_t i = 0; i < 3; ++i) {
    dispatcher.set_offers(WorkerId(i), offers);
    dispatcher.observe_probe(WorkerId(i), true);
  }
  shards[0]->on_tick([&](TimePoint now, Duration) { dispatcher.tick(now); });
  Tally tally;
  for (auto& shard : shards) {
    for (std::size_t i = 0; i < tasks_per_shard; ++i) {
      shard->sessions().spawn(task(*shard, dispatcher, tally, shard->index() * 10'000 + i));
    }
  }
  for (auto& shard : shards) shard->start();
  const auto limit = Clock::now() + std::chrono::seconds(50);
  while (tally.done < static_cast<int>(shard_count * tasks_per_shard) && Clock::now() < limit) {
    std::this_thread::yield();
  }
  // What travels is undone on its shard; the last grants arrive within a few turns.
  while (Clock::now() < limit) {
    std::uint32_t in_flight = 0;
    for (const auto& worker : dispatcher.snapshot().workers) in_flight += worker.in_flight;
    if (in_flight == 0) break;
    std::this_thread::yield();
  }
  for (auto& shard : shards) shard->stop();
  for (auto& shard : shards) shard->join();
  EXPECT_EQ(tally.granted + tally.refused + tally.left,
            static_cast<int>(shard_count * tasks_per_shard));
  EXPECT_GT(tally.granted, 0);
  EXPECT_LE(tally.holding_max, static_cast<int>(3 * slots));
  const auto fleet = dispatcher.snapshot();
  EXPECT_EQ(fleet.queued, 0U);
  for (const auto& worker : fleet.workers) EXPECT_EQ(worker.in_flight, 0U) << worker.name;
}

}  // namespace
}  // namespace lmb
