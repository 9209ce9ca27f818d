#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "breaker.hpp"
#include "health.hpp"
#include "instance.hpp"
#include "lmb/scheduling/offers.hpp"
#include "lmb/scheduling/options.hpp"
#include "lmb/scheduling/slot.hpp"
#include "pace.hpp"
#include "slow_start.hpp"

namespace lmb::scheduling {

/// One worker: what the operator said of it, what it told, and what runs on it.
struct Worker {
  Worker(const WorkerSpec& of, const HealthOptions& health_options)
      : spec(of), health(health_options), breaker(health_options) {}

  WorkerSpec spec;
  Health health;
  Breaker breaker;
  SlowStart slow_start;
  Pace pace;
  WorkerState told = WorkerState::starting;  ///< The state that the last Transition told.
  Offers offers;                             ///< What its catalogue said last.
  std::vector<Instance> instances;           ///< By InstanceId.
  bool catalogue_known = false;              ///< Its catalogue was read at least once.
  bool draining = false;
  bool member = true;            ///< False: it left the fleet, and only finishes what it runs.
  std::uint32_t membership = 0;  ///< How often it, or one before it at its place, has left.
  std::uint32_t in_flight = 0;   ///< Over all instances.
  std::uint32_t settling = 0;    ///< Over all instances.
  std::uint32_t slots = 0;       ///< See slots_of; kept up to date by adopt_offers.
  TimePoint busy_since;          ///< When in_flight rose from 0.
  TimePoint last_delivery;       ///< When a token, an answer or a model came last.
  TimePoint excused_until;       ///< Its silence up to here is explained by what it has to do.
  std::string switching_to;      ///< Key of the model that it is freed for; empty = none.
  std::optional<TimePoint> last_switch;
  bool silent = false;  ///< Found wedged; nothing was delivered and nothing begun since.
  std::uint64_t grants_total = 0;
  std::uint64_t last_grant =
      0;  ///< Number of its latest grant among all the fleet's; 0 = none yet.

  [[nodiscard]] std::uint32_t occupied() const noexcept { return in_flight + settling; }
  /// Another worker may have its place.
  [[nodiscard]] bool vacant() const noexcept { return !member && occupied() == 0; }
  /// Below max_in_flight.
  [[nodiscard]] bool has_room() const noexcept {
    return !spec.max_in_flight || occupied() < *spec.max_in_flight;
  }
  /// From probes and breaker; never `draining`.
  [[nodiscard]] WorkerState state() const noexcept {
    const bool spotless = health.settled() && breaker.spotless();
    return health.state() != WorkerState::up ? health.state()
           : spotless                        ? WorkerState::up
                                             : WorkerState::suspect;
  }
};

/// Takes in a catalogue: instances that stay keep their count, one that a cold request loads takes
/// over the count of its model's place on disk, and vanished ones go when nothing runs on them.
void adopt_offers(Worker& worker, const Offers& offers, std::uint32_t slots_unknown, TimePoint now);

/// The same worker without anything that was learned of it; what runs on it goes on, on instances
/// that no catalogue lists. `spec` has its name.
Worker begun_anew(const Worker& worker, const WorkerSpec& spec, const HealthOptions& options);

/// Computes all slots again after the spec or the catalogue changed.
void size_slots(Worker& worker, std::uint32_t slots_unknown) noexcept;

/// Requests the worker may be given at once: the slots of its loaded instances together (1 when
/// none is loaded), at most max_in_flight.
std::uint32_t slots_of(const Worker& worker) noexcept;

}  // namespace lmb::scheduling
