#include <utility>

#include "lmb/dispatch/dispatcher.hpp"

// Workers that join, leave and change: a reload.

namespace lmb::dispatch {

static_assert(scheduling::fleet_size_max == telemetry::worker_places);

void Dispatcher::set_name(WorkerId place, const std::string& name) {
  names_[place.value()].store(&*all_names_.insert(name).first, std::memory_order_release);
}

std::shared_ptr<const std::vector<std::string>> Dispatcher::list_names() const {
  std::set<std::string> names(aliases_.begin(), aliases_.end());
  for (const auto& each : offered_) names.insert(each.begin(), each.end());
  return std::make_shared<const std::vector<std::string>>(names.begin(), names.end());
}

scheduling::WorkerSet Dispatcher::vacant() const {
  const std::lock_guard lock(mutex_);
  return scheduler_.vacant();
}

void Dispatcher::add_worker(WorkerId place, const scheduling::WorkerSpec& spec) {
  const std::lock_guard in_order(offers_mutex_);
  set_name(place, spec.name);
  delivered_[place.value()].store(0, std::memory_order_relaxed);
  const auto now = Clock::now();
  std::unique_lock lock(mutex_);
  last_failure_[place.value()] = {};
  auto effects = scheduler_.add_worker(place, spec, now);
  lock.unlock();
  carry_out(std::move(effects));
}

void Dispatcher::retire_worker(WorkerId worker) {
  const std::lock_guard in_order(offers_mutex_);
  offered_[worker.value()].clear();
  auto all = list_names();
  const auto now = Clock::now();
  std::unique_lock lock(mutex_);
  model_names_.swap(all);
  auto effects = scheduler_.retire_worker(worker, now);
  lock.unlock();
  carry_out(std::move(effects));
}

void Dispatcher::change_worker(WorkerId worker, const scheduling::WorkerSpec& spec) {
  const auto now = Clock::now();
  std::unique_lock lock(mutex_);
  auto effects = scheduler_.change_worker(worker, spec, now);
  lock.unlock();
  carry_out(std::move(effects));
}

}  // namespace lmb::dispatch
