#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/scheduling/slot.hpp"
#include "model_table.hpp"
#include "work.hpp"

namespace lmb::scheduling {

/// What is kept of a slot that is taken.
struct Lease {
  Place place;
  std::uint32_t membership = 0;  ///< Worker::membership when it was granted.
  TimePoint granted;
  std::uint64_t grant = 0;  ///< Slot::grant.
  Work work;
  bool cold = false;
  bool trial = false;        ///< The one request of its worker's probation.
  bool first_token = false;  ///< It was told of.
  bool held_back = false;    ///< Its client reads too slowly: the worker has to wait at times.
  bool held = false;
};

/// The slots that are taken now. Places are used again, so that only a new record of concurrency
/// allocates.
class LeaseTable {
 public:
  LeaseTable();

  LeaseId add(const Lease& lease);
  /// Ends a lease that is held; what was kept of it.
  Lease remove(LeaseId id);
  [[nodiscard]] const Lease& find(LeaseId id) const;
  void note_first_token(LeaseId id) { leases_[id.value()].first_token = true; }
  void note_held_back(LeaseId id) { leases_[id.value()].held_back = true; }
  /// Those that are held, and places that are vacant.
  [[nodiscard]] const std::vector<Lease>& all() const noexcept { return leases_; }
  [[nodiscard]] std::size_t size() const noexcept { return leases_.size() - vacant_.size(); }

 private:
  std::vector<Lease> leases_;
  std::vector<LeaseId> vacant_;
};

}  // namespace lmb::scheduling
