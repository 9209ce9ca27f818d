#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lmb/base/manual_clock.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/net/session_group.hpp"

namespace lmb::dispatch {

inline constexpr WorkerId w0{0};
inline constexpr WorkerId w1{1};

/// Whether the bell holds a ring that nobody has heard yet; hears it.
inline bool take_ring(net::Bell& bell) {
  const auto listen = [](net::Bell& at, bool& heard) -> net::Task<void> {
    co_await at.wait();
    heard = true;
  };
  net::SessionGroup group([](const char* what) { FAIL() << what; });
  bool heard = false;
  group.spawn(listen(bell, heard));
  return heard;
}

/// A request's wait, without the request.
struct Waiter {
  Waiter(Dispatcher& dispatcher, std::size_t shard, const scheduling::Demand& demand)
      : acquisition(std::make_unique<Acquisition>(dispatcher, shard, demand, bell)) {}
  [[nodiscard]] bool settled() const { return acquisition->settled(); }
  /// What it was refused for; nothing when it was granted or still waits.
  [[nodiscard]] std::optional<ErrorKind> refused() const {
    if (!settled()) return std::nullopt;
    const auto taken = acquisition->take();
    if (taken) return std::nullopt;
    return taken.error().kind();
  }
  void leave() { acquisition.reset(); }

  net::Bell bell;
  std::unique_ptr<Acquisition> acquisition;
};

/// A dispatcher between two shards whose loops turn only when told to, on a clock that moves only
/// when told to.
class TwoShards : public ::testing::Test {
 protected:
  TwoShards() {
    manual_clock::reset();
    setup.shards = {a.get_executor(), b.get_executor()};
  }

  /// A catalogue of that one model, loaded once, with room for `parallel` requests.
  static scheduling::Offers offers_of(const std::string& model, std::uint32_t parallel = 0) {
    scheduling::InstanceOffer instance;
    instance.id = model;
    instance.parallel = parallel;
    scheduling::ModelOffer offer;
    offer.key = model;
    offer.instances.push_back(instance);
    scheduling::Offers offers;
    offers.models.push_back(offer);
    return offers;
  }
  /// Workers of `slots` each, all up, with "m" loaded.
  Dispatcher& start(std::size_t workers, std::uint32_t slots) {
    for (std::size_t i = 0; i < workers; ++i) {
      scheduling::WorkerSpec spec;
      spec.name = "w" + std::to_string(i);
      spec.slots = slots;
      setup.fleet.push_back(spec);
    }
    dispatcher = std::make_unique<Dispatcher>(setup);
    for (std::uint32_t i = 0; i < workers; ++i) {
      dispatcher->set_offers(WorkerId(i), offers_of("m"));
      dispatcher->observe_probe(WorkerId(i), true);
    }
    return *dispatcher;
  }

  static scheduling::Demand patient(std::chrono::seconds patience = std::chrono::seconds(60)) {
    scheduling::Demand demand;
    demand.model = "m";
    demand.deadline = Clock::now() + patience;
    return demand;
  }
  Waiter wait_on(std::size_t shard) { return Waiter(*dispatcher, shard, patient()); }
  [[nodiscard]] Lease hold_a_slot() {
    net::Bell bell;
    Acquisition acquisition(*dispatcher, 0, patient(), bell);
    auto lease = acquisition.take();
    return lease ? std::move(*lease) : Lease();
  }

  [[nodiscard]] std::uint32_t in_flight() const {
    std::uint32_t sum = 0;
    for (const auto& worker : dispatcher->snapshot().workers) sum += worker.in_flight;
    return sum;
  }
  [[nodiscard]] std::size_t queued() const { return dispatcher->snapshot().queued; }
  /// Turns a loop until it has nothing to do; how many handlers ran.
  static std::size_t turn(boost::asio::io_context& context) {
    context.restart();
    return context.poll();
  }

  boost::asio::io_context a{1};
  boost::asio::io_context b{1};
  Dispatcher::Setup setup;
  std::unique_ptr<Dispatcher> dispatcher;
};

}  // namespace lmb::dispatch
