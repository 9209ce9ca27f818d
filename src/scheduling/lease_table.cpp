#include "lease_table.hpp"

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {

LeaseTable::LeaseTable() {
  constexpr std::size_t ordinary_fleet = 256;
  leases_.reserve(ordinary_fleet);
  vacant_.reserve(ordinary_fleet);
}

LeaseId LeaseTable::add(const Lease& lease) {
  LeaseId id(static_cast<std::uint32_t>(leases_.size()));
  if (vacant_.empty()) {
    leases_.emplace_back();
    vacant_.reserve(leases_.capacity());  // So that remove never allocates.
  } else {
    id = vacant_.back();
    vacant_.pop_back();
  }
  leases_[id.value()] = lease;
  leases_[id.value()].held = true;
  return id;
}

Lease LeaseTable::remove(LeaseId id) {
  const Lease lease = find(id);
  leases_[id.value()].held = false;
  vacant_.push_back(id);
  return lease;
}

const Lease& LeaseTable::find(LeaseId id) const {
  LMB_ASSERT(id.value() < leases_.size() && leases_[id.value()].held);
  return leases_[id.value()];
}

}  // namespace lmb::scheduling
