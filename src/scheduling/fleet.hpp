#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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
  [[nodiscard]] bool is_free(Place place) const noexcept;
  [[nodiscard]] Candidate candidate(Place place) const noexcept;
  /// An open worker could take another request.
  [[nodiscard]] bool any_free() const noexcept;

  /// Takes a free slot of an open worker.
  void take(Place place);
  void give_back(Place place);
  /// Nothing when the state stayed as it was.
  std::optional<Transition> observe(WorkerId id, bool good);
  void set_draining(WorkerId id, bool draining);
  /// Returns false when the worker had told the same before.
  bool set_offers(WorkerId id, const Offers& offers);

  /// Recomputes every set and count from the workers. For assertions.
  [[nodiscard]] bool sets_are_right() const noexcept;

 private:
  Worker& at(WorkerId id);
  Instance& at(Place place);

  std::uint32_t slots_unknown_;
  std::vector<Worker> workers_;
  WorkerSet up_, starting_, draining_, unread_;
  std::uint64_t grants_ = 0;
};

}  // namespace lmb::scheduling
