#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::proxy {

/// Which workers answered that they do not have a route: LM Studio's 200 "Unexpected endpoint or
/// method", which old versions give to newer paths.
///
/// A gap is believed for a minute, then one answer says again whether it is there. A worker that
/// has answered on a route has it: there such an answer is a passing fault, and no gap. Thread
/// safety: safe; one atomic load a request where there is no gap.
class RouteGaps {
 public:
  /// How long a gap is believed.
  static constexpr Duration believed = std::chrono::minutes(1);

  RouteGaps();
  /// `route`: the label of a balanced route; others are passed over.
  void note(WorkerId worker, std::string_view route, TimePoint now) noexcept;
  /// The worker gave a regular answer on the route.
  void note_answer(WorkerId worker, std::string_view route) noexcept;
  /// It may have been upgraded: its catalogue changed, or it was away.
  void forget(WorkerId worker) noexcept;
  [[nodiscard]] scheduling::WorkerSet of(std::string_view route, TimePoint now) const noexcept;

 private:
  struct Route {
    std::atomic<std::uint64_t> lacking{0};   ///< The workers' bits.
    std::atomic<std::uint64_t> answered{0};  ///< Likewise.
    /// By worker, ticks of the clock: while `lacking` is believed.
    std::array<std::atomic<TimePoint::rep>, scheduling::fleet_size_max> until{};
  };
  [[nodiscard]] Route* find(std::string_view route) const noexcept;

  const std::vector<std::string_view> labels_;
  std::unique_ptr<Route[]> routes_;  ///< By label.
};

}  // namespace lmb::proxy
