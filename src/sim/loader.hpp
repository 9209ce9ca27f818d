#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/sim/options.hpp"

namespace lmb::sim {

/// An instance's number within one Loader, from 1 in order of load; never reused.
using InstanceNumber = StrongId<struct InstanceNumberTag, std::uint64_t>;

/// Who had an instance loaded.
enum class Origin : std::uint8_t {
  by_hand,       ///< From the start or by a load call: no TTL, never evicted.
  just_in_time,  ///< A request that named a model that was not loaded.
};

enum class UnloadReason : std::uint8_t { asked, idle, evicted, crashed, load_failed };

/// A model's file, as the loader sees it.
struct DiskModel {
  std::string key;
  std::uint64_t size_bytes = 0;
  Duration load_time{};
  LoadFault fault = LoadFault::none;
};

/// An instance that is loaded or being loaded.
struct Residence {
  std::string id;         ///< key, then key:2, key:3 and so on: the lowest that is free.
  std::size_t model = 0;  ///< Index of its DiskModel.
  Origin origin = Origin::by_hand;
  bool loaded = false;
  bool hangs = false;  ///< The load stops half-way for ever.
  bool fails = false;  ///< The load ends with a failure.
  TimePoint load_start;
  Duration load_time{};
  std::uint32_t progress_steps = 0;  ///< Of Loader::progress_steps; told so far.
  Duration ttl = Duration::max();
  TimePoint idle_since;        ///< Since the load or the end of the last request.
  std::uint32_t requests = 0;  ///< Held by so many; the TTL does not run.
};

enum class LoadEventKind : std::uint8_t { progress, loaded, unloaded };

struct LoadEvent {
  TimePoint at;
  InstanceNumber instance;
  LoadEventKind kind = LoadEventKind::progress;
  double progress = 0;                              ///< Above 0, below 1.
  UnloadReason reason = UnloadReason::load_failed;  ///< Of unloaded.
};

/// Which models of one LM Studio are in memory: loads that take time, TTL, auto-evict, duplicate
/// instances, memory guard. No I/O, clock or thread; the same calls with the same times give the
/// same events.
///
/// Times are the simulated machine's and must not decrease from call to call. All calls first let
/// everything happen that was due by then; what happened is told by the next `advance`.
///
/// Rules (study of LM Studio's server, section 4; assumptions are named in docs/simulator.md):
/// loads do not slow each other down; when a just-in-time load begins and when it ends, loaded
/// just-in-time instances of *other* models are unloaded, whatever they are generating
/// (auto-evict); an instance that was loaded just in time is unloaded when it was idle for its TTL.
class Loader {
 public:
  static constexpr std::uint32_t progress_steps = 20;

  struct Rules {
    bool auto_evict = true;
    bool duplicate_loads = true;     ///< See WorkerOptions.
    std::uint64_t memory_bytes = 0;  ///< 0 = no guard.
  };

  Loader(Rules rules, std::vector<DiskModel> models);

  /// An instance that was there from the start.
  InstanceNumber place(std::size_t model, TimePoint now);
  /// Begins a load. Nothing when the memory guard or LoadFault::refused forbids it.
  std::optional<InstanceNumber> load(std::size_t model, Origin origin, Duration ttl, TimePoint now);
  /// The instance that answers a request for this model: the first that is loaded; else, without
  /// duplicate loads, the first that is being loaded.
  [[nodiscard]] std::optional<InstanceNumber> find(std::size_t model) const;
  /// By instance id, loaded or not yet.
  [[nodiscard]] std::optional<InstanceNumber> find_id(std::string_view id) const;

  /// A request uses this instance until `release`. An instance that is gone is ignored.
  void hold(InstanceNumber instance, TimePoint now);
  void release(InstanceNumber instance, TimePoint now);
  /// Also ends a load that is under way. An instance that is gone is ignored.
  void unload(InstanceNumber instance, UnloadReason reason, TimePoint now);
  void set_fault(std::size_t model, LoadFault fault) { models_[model].fault = fault; }

  /// When `advance` should be called next; nothing when nothing will change by itself.
  [[nodiscard]] std::optional<TimePoint> next_event() const;
  std::vector<LoadEvent> advance(TimePoint now);

  [[nodiscard]] const std::map<InstanceNumber, Residence>& instances() const { return instances_; }
  [[nodiscard]] const Residence* residence(InstanceNumber instance) const;

 private:
  void run_to(TimePoint now);
  [[nodiscard]] static std::optional<TimePoint> due(const Residence& instance);
  void happen(InstanceNumber number, TimePoint now);
  void remove(InstanceNumber number, UnloadReason reason, TimePoint now);
  void evict_others(std::size_t model, TimePoint now);
  [[nodiscard]] bool fits(std::size_t model) const;
  InstanceNumber add(std::size_t model, Origin origin, TimePoint now);

  Rules rules_;
  std::vector<DiskModel> models_;
  std::uint64_t last_number_ = 0;
  std::map<InstanceNumber, Residence> instances_;
  std::vector<LoadEvent> events_;
};

}  // namespace lmb::sim
