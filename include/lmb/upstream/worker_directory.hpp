#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <span>
#include <utility>
#include <vector>

#include "lmb/base/strong_id.hpp"

namespace lmb::upstream {

/// One shard's copy of where the workers are. The fleet watch resolves names and posts news to each
/// shard. Thread safety: none; belongs to its shard.
class WorkerDirectory {
 public:
  explicit WorkerDirectory(std::size_t workers) : endpoints_(workers) {}
  /// The worker's addresses in the order to try; empty = its name is not resolved (yet).
  [[nodiscard]] std::span<const boost::asio::ip::tcp::endpoint> find(WorkerId worker) const {
    return endpoints_[worker.value()];
  }
  void set(WorkerId worker, std::vector<boost::asio::ip::tcp::endpoint> endpoints) {
    endpoints_[worker.value()] = std::move(endpoints);
  }

 private:
  std::vector<std::vector<boost::asio::ip::tcp::endpoint>> endpoints_;
};

}  // namespace lmb::upstream
