#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/effects.hpp"

namespace lmb::scheduling {

/// One instance of a model on a worker, or the place that a model on disk would be loaded to.
struct InstanceSnapshot {
  std::string id;     ///< The model's key while it is on disk only.
  std::string model;  ///< Key of its model.
  bool loaded = false;
  bool listed = true;  ///< False: it left the catalogue and only finishes what it runs.
  std::uint32_t in_flight = 0;
  std::uint32_t settling = 0;  ///< Slots still taken by requests whose clients left.
  std::uint32_t slots = 0;
  std::uint64_t context_length = 0;  ///< 0 = not told.
};

/// Which instances a snapshot tells. A Mac may have hundreds of models on disk, and whoever copies
/// them holds the dispatcher's lock.
enum class SnapshotScope : std::uint8_t {
  in_use,      ///< The loaded ones, and those of which requests still hold slots.
  all_models,  ///< Also the places of models that are on disk only.
};

struct WorkerSnapshot {
  WorkerId id;
  std::string name;
  WorkerState state = WorkerState::starting;
  bool draining = false;
  bool retired = false;  ///< It left the fleet and only finishes what it runs.
  bool catalogue_known = false;
  /// While the breaker is not closed: when it lets the next request try.
  std::optional<TimePoint> breaker_until;
  std::uint32_t in_flight = 0;  ///< Over all instances.
  std::uint32_t settling = 0;   ///< Over all instances; not in in_flight.
  std::string loading;          ///< Key of the model that it loads; empty = none.
  std::string switching_to;  ///< It gets nothing for other models, to load this one; empty = none.
  /// Requests it may be given at once: the loaded instances' slots together (1 when none is
  /// loaded), at most max_in_flight.
  std::uint32_t slots = 0;
  std::uint64_t grants_total = 0;
  std::vector<InstanceSnapshot> instances;
};

/// Why requests wait although a slot is free. Each hold ends by itself.
struct HoldCounts {
  std::size_t load = 0;  ///< For a model that is being loaded, or may be: models.load_timeout.
  std::size_t switching =
      0;  ///< For a worker that is busy with another model: models.switch_after.
  std::size_t probation = 0;   ///< For the outcome of a trial: health.probation.
  std::size_t slow_start = 0;  ///< For a worker that came back: health.slow_start.
};

struct FleetSnapshot {
  /// By id, without vacant places; a worker that left is told of while it finishes requests. Two of
  /// one name are possible then.
  std::vector<WorkerSnapshot> workers;
  std::size_t queued = 0;
  std::size_t leases = 0;                ///< Slots that are taken, over the fleet.
  HoldCounts holds;                      ///< Of the queued.
  std::uint64_t panic_grants_total = 0;  ///< Given in spite of breakers: these excluded everyone.
  std::uint64_t retries_refused_total = 0;  ///< The retry budget was spent.
};

}  // namespace lmb::scheduling
