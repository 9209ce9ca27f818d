#pragma once

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/upstream/options.hpp"

namespace lmb::upstream {

/// One shard's copy of who the workers are and where. The fleet watch resolves names and posts news
/// to each shard, as a reload does of workers. Thread safety: none; belongs to its shard.
class WorkerDirectory {
 public:
  /// `places`: WorkerIds are below this.
  explicit WorkerDirectory(std::size_t places) : entries_(places) {}

  /// The worker at the place. One that leaves stays here until another has its place: what still
  /// runs on it may need it. Of another host or port, its endpoints are not known.
  void set_worker(WorkerId place, WorkerAddress address) {
    auto& entry = entries_[place.value()];
    const bool moved = entry.address.host != address.host || entry.address.port != address.port;
    if (moved) entry.endpoints.clear();
    entry.address = std::move(address);
    entry.member = true;
  }
  void retire(WorkerId worker) { entries_[worker.value()].member = false; }

  [[nodiscard]] const WorkerAddress& address(WorkerId worker) const {
    return entries_[worker.value()].address;
  }
  /// Workers that are in the fleet.
  [[nodiscard]] std::size_t members() const noexcept {
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                  [](const Entry& entry) { return entry.member; }));
  }

  /// The worker's addresses in the order to try; empty = its name is not resolved (yet).
  [[nodiscard]] std::span<const boost::asio::ip::tcp::endpoint> find(WorkerId worker) const {
    return entries_[worker.value()].endpoints;
  }
  void set(WorkerId worker, std::vector<boost::asio::ip::tcp::endpoint> endpoints) {
    entries_[worker.value()].endpoints = std::move(endpoints);
  }

 private:
  struct Entry {
    WorkerAddress address;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;
    bool member = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace lmb::upstream
