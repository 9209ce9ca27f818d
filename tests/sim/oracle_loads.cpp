#include <algorithm>

#include "sim/oracle.hpp"

// Loads that take too long, in the oracle's picture.

namespace lmb::history {

void Oracle::note_overdue(const Worker& worker, const std::string& model) {
  for (const Instance& instance : worker.instances) {
    for (const auto& [id, lease] : instance.leases) {
      if (lease.cold_model == model && !lease.first_token && !lease.foreign) {
        const auto index = static_cast<std::uint32_t>(&worker - workers_.data());
        due_.overdue.push_back({WorkerId(index), lease.grant});
      }
    }
  }
}

void Oracle::keep_deadlines(WorkerId worker) {
  const Worker& w = workers_[worker.value()];
  for (const Instance& instance : w.instances) {
    for (const auto& [id, lease] : instance.leases) {
      if (lease.stream && !lease.first_token && w.loads.contains(lease.cold_model)) {
        const TimePoint began = w.load_began.at(lease.cold_model);
        watched_[lease.grant] = {worker, began + options_.models.load_timeout};
      }
    }
  }
}

void Oracle::watch_unloaded(WorkerId worker) {
  for (const Instance& instance : workers_[worker.value()].instances) {
    for (const auto& [id, lease] : instance.leases) {
      const bool loads = workers_[worker.value()].loads.contains(lease.cold_model);
      if (!lease.stream || lease.first_token || lease.foreign || loads) {
        continue;
      }
      if (instance.listed && instance.loaded) {
        watched_.erase(lease.grant);
      } else {
        watched_.try_emplace(lease.grant, worker, now_ + options_.models.load_timeout);
      }
    }
  }
}

void Oracle::end_watched() {
  for (auto each = watched_.begin(); each != watched_.end();) {
    const auto& [grant, load] = *each;
    const Lease* lease = find_lease(grant);
    const bool waits = lease != nullptr && !lease->first_token;
    const bool over = now_ >= load.second;
    if (waits && over) {
      due_.overdue.push_back({load.first, grant});
    }
    each = waits && !over ? std::next(each) : watched_.erase(each);
  }
}

const Oracle::Lease* Oracle::find_lease(std::uint64_t grant) const {
  for (const Worker& worker : workers_) {
    for (const Instance& instance : worker.instances) {
      for (const auto& [id, lease] : instance.leases) {
        if (lease.grant == grant) {
          return &lease;
        }
      }
    }
  }
  return nullptr;
}

void Oracle::noted_first_token(const scheduling::Slot& slot) {
  for (Instance& instance : workers_[slot.worker.value()].instances) {
    const auto lease = instance.leases.find(slot.lease);
    if (lease != instance.leases.end()) {
      lease->second.first_token = true;
    }
  }
}

}  // namespace lmb::history
