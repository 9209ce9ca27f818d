#include <algorithm>
#include <chrono>
#include <cmath>

#include "scheduler_state.hpp"

// What the scheduler is asked, but for the snapshot: nothing changes by it.

namespace lmb::scheduling {

bool Scheduler::loading(WorkerId worker) const {
  return state_->loads.workers().contains(worker) || state_->watched_load(worker);
}

bool Scheduler::any_loads() const noexcept {
  return !state_->loads.workers().empty() || !state_->watched.empty() || !state_->overdue.empty();
}

bool Scheduler::any_settling() const noexcept {
  return state_->fleet.any_settling();
}

bool Scheduler::awaited(const Slot& slot) const {
  const State& state = *state_;
  const auto& lanes = state.queue.lanes();
  if (!slot.cold ||
      !state.loads.loading(slot.worker, state.fleet.instance({slot.worker, slot.instance}).model)) {
    return false;
  }
  return std::any_of(lanes.begin(), lanes.end(), [&](const auto& entry) {
    if (entry.first.tried.contains(slot.worker)) {
      return false;
    }
    const Offering offering = state.models.find(entry.first.model);
    return std::any_of(offering.places.begin(), offering.places.end(), [&](Place place) {
      return place.worker == slot.worker && place.instance == slot.instance;
    });
  });
}

bool Scheduler::servable(const Demand& demand, TimePoint now) const {
  const auto [model, tried] = state_->resolve(demand, now);
  return state_->serves(model, tried, now);
}

std::string Scheduler::load_error(std::string_view model) const {
  const State& state = *state_;
  for (const Place place : state.models.find(state.unalias(model)).places) {
    const auto error = state.loads.error(place.worker, state.fleet.instance(place).model);
    if (!error.empty()) {
      return std::string(error);
    }
  }
  return {};
}

std::optional<TimePoint> Scheduler::loadable_at(std::string_view model) const {
  const State& state = *state_;
  std::optional<TimePoint> earliest;
  for (const Place place : state.models.find(state.unalias(model)).places) {
    const auto until =
        state.loads.unloadable_until(place.worker, state.fleet.instance(place).model);
    if (until && (!earliest || *until < *earliest)) {
      earliest = until;
    }
  }
  return earliest;
}

std::size_t Scheduler::queued() const noexcept {
  return state_->queue.size();
}

bool Scheduler::any_up() const noexcept {
  return !state_->fleet.open().empty();
}

bool Scheduler::is_open(WorkerId worker) const noexcept {
  return state_->fleet.open().contains(worker);
}

std::uint32_t Scheduler::retry_after_seconds(TimePoint now) const {
  constexpr double least = 1;
  constexpr double most = 60;
  const State& state = *state_;
  if (state.queue.empty() && state.fleet.any_free(now)) {
    return 1;
  }
  const double rate = state.finish_rate.per_second(now);
  double seconds = std::chrono::duration<double>(state.options.no_worker_grace).count();
  if (rate > 0 && !state.fleet.open().empty()) {
    seconds = static_cast<double>(state.queue.size() + 1) / rate;
  }
  return static_cast<std::uint32_t>(std::ceil(std::clamp(seconds, least, most)));
}

}  // namespace lmb::scheduling
