#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/options.hpp"
#include "lmb/scheduling/scheduler.hpp"
#include "worker.hpp"

namespace lmb::scheduling {

/// All workers, and the sets that tell who may serve without looking at each of them.
///
/// Invariant: each set holds exactly the workers that its predicate is true of (sets_are_right).
/// Only this class changes a worker, so that counting and choosing cannot drift apart.
class Fleet {
 public:
  Fleet(const SchedulerOptions& options, const std::vector<WorkerSpec>& specs);

  [[nodiscard]] const std::vector<Worker>& workers() const noexcept { return workers_; }
  [[nodiscard]] const Worker& worker(WorkerId id) const;

  [[nodiscard]] WorkerSet all() const noexcept { return all_; }
  /// Up and not draining: may be given requests.
  [[nodiscard]] WorkerSet open() const noexcept { return up_ - draining_; }
  /// Starting and not draining: may be open soon.
  [[nodiscard]] WorkerSet starting() const noexcept { return starting_ - draining_; }
  /// Their catalogue was never read.
  [[nodiscard]] WorkerSet unread() const noexcept { return unread_; }
  /// in_flight < slots.
  [[nodiscard]] WorkerSet free() const noexcept { return free_; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }

  /// The least outstanding worker of `eligible`, which must not be empty.
  [[nodiscard]] WorkerId least_outstanding(WorkerSet eligible) const noexcept;
  /// Takes a slot of an open worker that has a free one.
  void take(WorkerId id);
  void give_back(WorkerId id);
  /// Nothing when the state stayed as it was.
  std::optional<Transition> observe(WorkerId id, bool good);
  void set_draining(WorkerId id, bool draining);
  /// Returns false when the worker had told the same before.
  bool set_offers(WorkerId id, Offers offers);

  /// Recomputes every set and count from the workers. O(workers); for assertions.
  [[nodiscard]] bool sets_are_right() const noexcept;

 private:
  Worker& at(WorkerId id);
  void update_free(WorkerId id);

  std::uint32_t slots_unknown_;
  std::vector<Worker> workers_;
  WorkerSet all_, up_, starting_, draining_, unread_, free_;
  std::uint64_t in_flight_ = 0;
  std::uint64_t grants_ = 0;
};

}  // namespace lmb::scheduling
