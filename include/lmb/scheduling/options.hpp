#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::scheduling {

/// Most workers a fleet can have; worker sets are 64-bit masks.
inline constexpr std::size_t fleet_size_max = 64;

/// What the operator says of one worker.
struct WorkerSpec {
  std::string name;  ///< Unique; a worker's identity over reloads.
  /// workers[].slots, 1 or more: requests that each loaded instance may run at once (an embedding
  /// model: 1 all the same); nothing = "auto", as its catalogue tells.
  std::optional<std::uint32_t> slots;
  /// workers[].max_in_flight, 1 or more: a cap over all its models; nothing = no cap beyond the
  /// slots.
  std::optional<std::uint32_t> max_in_flight;
  /// workers[].weight, 1..1000: a worker of weight 2 is given twice the requests of one of
  /// weight 1. Under light load that is more than twice: while both are idle the heavier one is
  /// chosen.
  std::uint32_t weight = 1;
  /// workers[].auto_evict: LM Studio's "Only Keep Last JIT Loaded Model": loading a model unloads
  /// the others, also while they generate.
  bool auto_evict = true;
  bool operator==(const WorkerSpec&) const = default;
};

struct HealthOptions {
  /// health.failures_down: consecutive failed probes that take a worker down.
  std::uint32_t failures_down = 3;
  /// health.successes_up: consecutive good probes that bring it back.
  std::uint32_t successes_up = 2;
  /// health.breaker_faults: consecutive failed requests that open a worker's breaker …
  std::uint32_t breaker_faults = 3;
  /// health.breaker_open: … for so long, doubled each time it opens again …
  Duration breaker_open = std::chrono::seconds(5);
  /// health.breaker_open_max: … but not longer than this.
  Duration breaker_open_max = std::chrono::minutes(2);
  /// health.probation: a trial request that lasts longer no longer keeps others away.
  Duration probation_max = std::chrono::minutes(1);
  /// health.slow_start: after a recovery, from one request to all slots; 0 = at once.
  Duration slow_start = std::chrono::seconds(10);
  /// health.wedge_floor: a worker that delivers nothing for a shorter time is never taken for
  /// wedged.
  Duration wedge_floor = std::chrono::minutes(1);
  /// health.wedge_factor: silence beyond so many times what the worker itself needed in 99 of 100
  /// cases is a wedge.
  std::uint32_t wedge_factor = 4;
};

struct RetryOptions {
  /// retry.attempts: attempts for one request, the first included.
  std::uint32_t attempts_max = 3;
  /// retry.budget_percent: retries that the whole fleet may see, in percent of its requests …
  std::uint32_t budget_percent = 20;
  /// retry.budget_min: … but always so many each second.
  std::uint32_t budget_min_per_second = 3;
};

struct ResponseHomesOptions {
  /// models.response_ids: answers remembered; the oldest are forgotten first.
  std::size_t ids_max = 100'000;
  /// models.response_ids_age: how long.
  Duration age_max = std::chrono::hours(24);
};

/// Another name for a model.
struct ModelAlias {
  std::string name;
  std::string model;
  bool operator==(const ModelAlias&) const = default;
};

/// What serves instead of a model that no worker has now: the first of these that one has.
struct ModelFallback {
  std::string model;
  std::vector<std::string> instead;
  bool operator==(const ModelFallback&) const = default;
};

struct ModelOptions {
  /// models.load_timeout: a load that takes longer has failed.
  Duration load_timeout = std::chrono::minutes(3);
  /// models.load_time: how long a load takes, until it was learned or told.
  Duration load_time = std::chrono::seconds(15);
  /// models.unloadable: after a failed load the worker is not asked for that model for so long,
  /// doubled each further time …
  Duration unloadable = std::chrono::seconds(30);
  /// models.unloadable_max: … up to this.
  Duration unloadable_max = std::chrono::minutes(10);
  /// models.switch_after: a model that is loaded nowhere waits so long for a worker that is busy
  /// with another; then one such worker finishes and loads it. With min_residency it bounds the
  /// wait for a model's turn: max(switch_after, min_residency) + the longest running request + one
  /// load, for each other model that wants the worker.
  Duration switch_after = std::chrono::seconds(30);
  /// models.min_residency: at most one such switch per worker in this time.
  Duration min_residency = std::chrono::minutes(2);
  /// models.idle_unload: an instance idle for so long is perhaps unloaded (LM Studio does it after
  /// 60 min): it gets one request at a time until it answers.
  Duration idle_unload = std::chrono::minutes(50);
  std::vector<ModelAlias> aliases;
  std::vector<ModelFallback> fallbacks;
};

struct SchedulerOptions {
  /// queue.length: waiting requests in all; then queue_full.
  std::size_t queue_length = 1000;
  /// queue.no_worker_grace: wait while none is up.
  Duration no_worker_grace = std::chrono::seconds(5);
  /// startup_grace: the same just after the start.
  Duration startup_grace = std::chrono::seconds(10);
  /// scheduling.slots_unknown, 1 or more: "auto" where the catalogue tells no number. LM Studio
  /// before 0.4 tells none and runs one request at a time.
  std::uint32_t slots_unknown = 1;
  /// scheduling.abandon_settle_max: how long a slot stays taken at most after its client left
  /// without an answer, because the worker finishes the prompt first; 0 = off.
  Duration abandon_settle_max = std::chrono::seconds(30);
  HealthOptions health;
  RetryOptions retry;
  ModelOptions models;
  /// Seeds the jitter of breakers; the same seed and calls give the same results.
  std::uint64_t seed = 1;
};

}  // namespace lmb::scheduling
