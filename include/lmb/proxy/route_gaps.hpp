#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"

namespace lmb::proxy {

/// Which workers answered that they do not have a route: LM Studio's 200 "Unexpected endpoint or
/// method", which old versions give to newer paths. Thread safety: safe; one atomic load a request.
class RouteGaps {
 public:
  RouteGaps();
  /// `route`: the label of a balanced route; others are passed over.
  void note(WorkerId worker, std::string_view route) noexcept;
  /// It may have been upgraded: its catalogue changed, or it was away.
  void forget(WorkerId worker) noexcept;
  [[nodiscard]] scheduling::WorkerSet of(std::string_view route) const noexcept;

 private:
  [[nodiscard]] std::atomic<std::uint64_t>* find(std::string_view route) const noexcept;

  const std::vector<std::string_view> routes_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> lacking_;  ///< By route, the workers' bits.
};

}  // namespace lmb::proxy
