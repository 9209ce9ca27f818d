#include "lmb/proxy/route_gaps.hpp"

#include <algorithm>

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
    : routes_(protocol::balanced_route_labels()),
      lacking_(std::make_unique<std::atomic<std::uint64_t>[]>(routes_.size())) {}

std::atomic<std::uint64_t>* RouteGaps::find(std::string_view route) const noexcept {
  const auto found = std::find(routes_.begin(), routes_.end(), route);
  return found == routes_.end() ? nullptr
                                : &lacking_[static_cast<std::size_t>(found - routes_.begin())];
}

void RouteGaps::note(WorkerId worker, std::string_view route) noexcept {
  if (auto* lacking = find(route)) lacking->fetch_or(bit_of(worker), std::memory_order_relaxed);
}

void RouteGaps::forget(WorkerId worker) noexcept {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    lacking_[i].fetch_and(~bit_of(worker), std::memory_order_relaxed);
  }
}

scheduling::WorkerSet RouteGaps::of(std::string_view route) const noexcept {
  const auto* lacking = find(route);
  const auto bits = lacking == nullptr ? 0 : lacking->load(std::memory_order_relaxed);
  return scheduling::WorkerSet(bits);
}

}  // namespace lmb::proxy
