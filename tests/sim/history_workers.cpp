#include "sim/history_workers.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace lmb::history {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t large_fleet = 24;
constexpr std::array<const char*, 4> models{"m0", "m1", "m2", "m3"};

template <class T>
T one_of(Chance& chance, std::initializer_list<T> values) {
  return values.begin()[chance.between(0U, static_cast<std::uint32_t>(values.size() - 1))];
}

scheduling::SchedulerOptions random_options(Chance& chance) {
  scheduling::SchedulerOptions options;
  options.queue_length = one_of<std::size_t>(chance, {0, 3, 20, 60});
  options.no_worker_grace = one_of<Duration>(chance, {0s, 1s, 5s, 20s});
  options.startup_grace = one_of<Duration>(chance, {0s, 3s, 10s});
  options.slots_unknown = chance.between(1U, 4U);
  options.health.failures_down = chance.between(1U, 3U);
  options.health.successes_up = chance.between(1U, 3U);
  options.health.breaker_faults = chance.between(1U, 4U);
  options.health.breaker_open = one_of<Duration>(chance, {100ms, 5s});
  options.health.breaker_open_max = one_of<Duration>(chance, {5s, 2min});
  options.health.slow_start = one_of<Duration>(chance, {0s, 3s, 30s});
  options.abandon_settle_max = one_of<Duration>(chance, {0s, 2s, 30s});
  options.models.load_timeout = one_of<Duration>(chance, {5s, 180s});
  options.models.load_time = one_of<Duration>(chance, {0s, 3s, 15s});
  options.models.unloadable = one_of<Duration>(chance, {1s, 30s});
  // Switches have scenarios of their own: here nobody waits long enough.
  options.models.switch_after = 1h;
  options.models.idle_unload = 24h;
  options.seed = chance.between(1U, 1000U);
  return options;
}

}  // namespace

scheduling::WorkerSpec random_spec(Chance& chance, std::uint32_t number) {
  scheduling::WorkerSpec spec;
  spec.name = "w" + std::to_string(number);
  if (chance.happens(0.5)) {
    spec.slots = chance.between(1U, 6U);
  }
  if (chance.happens(0.2)) {
    spec.max_in_flight = chance.between(1U, 6U);
  }
  if (chance.happens(0.3)) {
    spec.weight = chance.between(1U, 10U);
  }
  return spec;
}

scheduling::Offers random_catalogue(Chance& chance) {
  scheduling::Offers offers;
  for (const char* model : models) {
    if (!chance.happens(0.7)) {
      continue;
    }
    scheduling::ModelOffer& offer = offers.models.emplace_back();
    offer.key = model;
    offer.names = {std::string(model) + "@4bit"};
    offer.spellings = {"any"};
    if (chance.happens(0.1)) {
      offer.kind = scheduling::ModelKind::embedding;
    }
    for (const char* suffix : {"", ":2", ":3"}) {
      if (chance.happens(suffix[0] == 0 ? 0.5 : 0.1)) {
        offer.instances.push_back(
            {.id = offer.key + suffix,
             .parallel = chance.between(0U, 6U),
             .context_length = one_of<std::uint64_t>(chance, {0, 4096, 10'000, 32'768})});
      }
    }
  }
  return offers;
}

scheduling::Offers full_catalogue() {
  scheduling::Offers offers;
  for (const char* model : models) {
    offers.models.push_back({.key = model, .spellings = {"any"}});
    offers.models.back().instances.push_back({.id = model, .parallel = 4});
  }
  return offers;
}

std::string random_model(Chance& chance) {
  if (chance.happens(0.1)) {
    return "any";
  }
  if (chance.happens(0.02)) {
    return "no-such-model";
  }
  const std::string model = models[chance.between(0U, 3U)];
  if (chance.happens(0.1)) {
    return model + (chance.happens(0.5) ? ":2" : "@4bit");
  }
  return model;
}

Setting random_setting(Chance& chance) {
  Setting setting;
  setting.options = random_options(chance);
  const std::uint32_t size = chance.happens(0.02) ? large_fleet : chance.between(1U, 7U);
  std::uint32_t slots = 0;
  const Duration service = one_of<Duration>(chance, {50ms, 1s, 8s});
  for (std::uint32_t i = 0; i < size; ++i) {
    setting.specs.push_back(random_spec(chance, i));
    slots += setting.specs.back().slots.value_or(4);
    TrueWorker worker;
    worker.alive = chance.happens(0.8);
    worker.fault_rate = chance.happens(0.2) ? 0.3 : 0.0;
    worker.service_mean = service * chance.between(1U, 3U);
    worker.catalogue = chance.happens(0.3) ? full_catalogue() : random_catalogue(chance);
    setting.workers.push_back(worker);
  }
  // Arrivals (1.4 requests each, with the bursts) of a third to three times what the fleet can do.
  setting.arrivals_mean = service * 2 * chance.between(50U, 400U) / (100 * slots);
  setting.length = std::max<Duration>(setting.arrivals_mean * chance.between(100U, 400U),
                                      chance.between(10s, 30s));
  if (size == large_fleet) {
    // The oracle looks at everything for everyone: that is slow where both are many.
    setting.options.queue_length = std::min<std::size_t>(setting.options.queue_length, 20);
    setting.length = setting.arrivals_mean * 400;
  }
  setting.faults_mean = setting.length / chance.between(1U, 30U);
  setting.probe_interval = one_of<Duration>(chance, {1s, 5s});
  setting.delivery_max = one_of<Duration>(chance, {0ms, 1ms, 500ms});
  setting.leaver_rate = one_of<double>(chance, {0.0, 0.1, 0.5});
  setting.closes = chance.happens(0.4);
  if (chance.happens(0.5)) {
    setting.reloads_mean = setting.length / chance.between(1U, 20U);
  }
  return setting;
}

}  // namespace lmb::history
