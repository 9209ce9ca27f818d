#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/effects.hpp"
#include "lmb/scheduling/options.hpp"
#include "model_table.hpp"
#include "selection.hpp"
#include "worker.hpp"

namespace lmb::scheduling {

/// All workers with their instances, and the sets that tell who may serve without looking at each
/// of them.
///
/// Invariant: each set holds exactly the workers that its predicate is true of, and each worker's
/// count is the sum of its instances' (sets_are_right). Only this class changes a worker, so that
/// counting and choosing cannot drift apart.
class Fleet {
 public:
  Fleet(const SchedulerOptions& options, const std::vector<WorkerSpec>& specs);

  [[nodiscard]] const std::vector<Worker>& workers() const noexcept { return workers_; }
  [[nodiscard]] const Worker& worker(WorkerId id) const;
  [[nodiscard]] const Instance& instance(Place place) const;

  /// Up, not draining and with a known catalogue: may be given requests.
  [[nodiscard]] WorkerSet open() const noexcept { return up_ - draining_ - unread_; }
  /// May be open soon: starting, or up without a known catalogue; not draining.
  [[nodiscard]] WorkerSet starting() const noexcept {
    return (starting_ | (up_ & unread_)) - draining_;
  }
  /// Their catalogue was never read.
  [[nodiscard]] WorkerSet unread() const noexcept { return unread_; }
  /// A slot of the instance is free and its worker has room.
  /// It was idle for so long that LM Studio may have unloaded it.
  [[nodiscard]] bool perhaps_unloaded(Place place, TimePoint now) const noexcept;
  [[nodiscard]] bool is_free(Place place, TimePoint now) const noexcept;
  /// Workers whose breaker keeps requests away now.
  [[nodiscard]] WorkerSet barred(TimePoint now) const noexcept;
  /// The next time at which is_free or barred may change by itself.
  [[nodiscard]] std::optional<TimePoint> next_change(TimePoint now) const;
  [[nodiscard]] Candidate candidate(Place place, TimePoint now) const noexcept;
  /// An open worker could take another request.
  [[nodiscard]] bool any_free(TimePoint now) const noexcept;

  /// Takes a free slot of an open worker. True when that begins the trial of its probation.
  bool take(Place place, TimePoint now);
  void give_back(Place place);
  /// Gives it back, but for the time until the worker has finished the prompt.
  void settle(Place place, const Settling& settling);
  [[nodiscard]] bool any_settling() const noexcept { return settling_ > 0; }
  /// Frees settling slots whose time has come.
  void free_settled(TimePoint now);
  /// Frees settling slots of requests that were granted no later: the instance is past them.
  void free_settled_before(Place place, TimePoint granted);

  void observe_probe(WorkerId id, bool good, TimePoint now);
  /// The worker gave a token or an answer.
  void delivered(WorkerId id, TimePoint now);
  void succeeded(WorkerId id, TimePoint now);
  void failed(WorkerId id, TimePoint now);
  void trial_ended(WorkerId id);
  /// What the worker has to do explains its silence until `until`.
  void excuse(WorkerId id, TimePoint until);
  void found_wedged(WorkerId id, TimePoint now);
  [[nodiscard]] Pace& pace(WorkerId id) { return at(id).pace; }
  /// The change of the worker's state since the last call; nothing when there is none.
  std::optional<Transition> transition(WorkerId id);
  void set_draining(WorkerId id, bool draining, TimePoint now);

  // Reloads (membership.cpp).
  /// Workers that are in the fleet.
  [[nodiscard]] WorkerSet members() const noexcept { return members_; }
  /// Places, of all that a fleet can have, that a new worker may take.
  [[nodiscard]] WorkerSet vacant() const noexcept;
  /// A worker that was just started; one that comes back to what it still runs keeps that.
  void add(WorkerId place, const WorkerSpec& spec);
  /// Forgets all but what it runs.
  void retire(WorkerId id);
  void change(WorkerId id, const WorkerSpec& spec);

  /// Returns false when the worker had told the same before.
  bool set_offers(WorkerId id, const Offers& offers, TimePoint now);
  /// The instance gave a token or an answer.
  void used(Place place, TimePoint now);
  /// From now on the worker is given nothing for other models.
  void begin_switch(WorkerId id, const std::string& model, TimePoint now);
  void end_switch(WorkerId id);
  [[nodiscard]] WorkerSet switching() const noexcept { return switching_; }
  /// Nothing runs on the worker for other models, or a load does not harm it.
  [[nodiscard]] bool clear_for(WorkerId id, const std::string& model) const noexcept;

  /// Recomputes every set and count from the workers. For assertions.
  [[nodiscard]] bool sets_are_right() const noexcept;

 private:
  Worker& at(WorkerId id);
  Instance& at(Place place);

  std::uint32_t slots_unknown_;
  HealthOptions health_;
  std::mt19937_64 random_;
  Duration idle_unload_;
  std::vector<Worker> workers_;
  WorkerSet members_;
  // Of the members only:
  WorkerSet up_, starting_, draining_, unread_;
  WorkerSet switching_;
  WorkerSet broken_;  ///< Their breaker is not closed.
  std::uint32_t settling_ = 0;
  std::uint64_t grants_ = 0;
};

}  // namespace lmb::scheduling
