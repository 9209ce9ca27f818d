#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/scheduling/slot.hpp"
#include "model_table.hpp"

namespace lmb::scheduling {

/// What is kept of a slot that is taken.
struct Lease {
  Place place;
  TimePoint granted;
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
  [[nodiscard]] std::size_t size() const noexcept { return leases_.size() - vacant_.size(); }

 private:
  std::vector<Lease> leases_;
  std::vector<LeaseId> vacant_;
};

}  // namespace lmb::scheduling
