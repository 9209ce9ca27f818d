#include "lmb/proxy/route_gaps.hpp"

#include <algorithm>
#include <bit>

#include "lmb/protocol/route.hpp"

namespace lmb::proxy {
namespace {

std::uint64_t bit_of(WorkerId worker) noexcept {
  scheduling::WorkerSet set;
  set.insert(worker);
  return set.bits();
}

}  // namespace

RouteGaps::RouteGaps()
    : labels_(protocol::balanced_route_labels()),
      routes_(std::make_unique<Route[]>(labels_.size())) {}

RouteGaps::Route* RouteGaps::find(std::string_view route) const noexcept {
  const auto found = std::find(labels_.begin(), labels_.end(), route);
  return found == labels_.end() ? nullptr
                                : &routes_[static_cast<std::size_t>(found - labels_.begin())];
}

void RouteGaps::note(WorkerId worker, std::string_view route, TimePoint now) noexcept {
  auto* known = find(route);
  if (known == nullptr || (known->answered.load(std::memory_order_relaxed) & bit_of(worker)) != 0) {
    return;
  }
  known->until[worker.value()].store((now + believed).time_since_epoch().count(),
                                     std::memory_order_relaxed);
  known->lacking.fetch_or(bit_of(worker), std::memory_order_relaxed);
}

void RouteGaps::note_answer(WorkerId worker, std::string_view route) noexcept {
  auto* known = find(route);
  if (known == nullptr || (known->answered.load(std::memory_order_relaxed) & bit_of(worker)) != 0) {
    return;
  }
  known->answered.fetch_or(bit_of(worker), std::memory_order_relaxed);
  known->lacking.fetch_and(~bit_of(worker), std::memory_order_relaxed);
}

void RouteGaps::forget(WorkerId worker) noexcept {
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    routes_[i].lacking.fetch_and(~bit_of(worker), std::memory_order_relaxed);
    routes_[i].answered.fetch_and(~bit_of(worker), std::memory_order_relaxed);
  }
}

scheduling::WorkerSet RouteGaps::of(std::string_view route, TimePoint now) const noexcept {
  const auto* known = find(route);
  scheduling::WorkerSet lacking;
  auto bits = known == nullptr ? 0 : known->lacking.load(std::memory_order_relaxed);
  for (; bits != 0; bits &= bits - 1) {
    const auto index = static_cast<std::uint32_t>(std::countr_zero(bits));
    const auto until = known->until[index].load(std::memory_order_relaxed);
    if (now.time_since_epoch().count() < until) lacking.insert(WorkerId(index));
  }
  return lacking;
}

}  // namespace lmb::proxy
