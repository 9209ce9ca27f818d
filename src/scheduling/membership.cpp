#include "lmb/base/assert.hpp"
#include "scheduler_state.hpp"

// Workers that join, leave and change: what a reload of the configuration does.

namespace lmb::scheduling {

WorkerSet Fleet::vacant() const noexcept {
  WorkerSet vacant;
  for (std::uint32_t i = 0; i < fleet_size_max; ++i) {
    if (i >= workers_.size() || workers_[i].vacant()) {
      vacant.insert(WorkerId(i));
    }
  }
  return vacant;
}

void Fleet::add(WorkerId place, const WorkerSpec& spec) {
  LMB_ASSERT(place.value() < fleet_size_max);
  // The configuration refuses these before they come here.
  LMB_ASSERT(spec.weight >= 1 && spec.weight <= 1000);
  LMB_ASSERT(spec.slots != 0U && spec.max_in_flight != 0U);
  while (workers_.size() <= place.value()) {
    workers_.emplace_back(WorkerSpec{}, health_).member = false;
  }
  Worker& worker = at(place);
  LMB_ASSERT(!worker.member && (worker.vacant() || worker.spec.name == spec.name));
  if (worker.vacant()) {
    const std::uint32_t membership = worker.membership;
    worker = Worker(spec, health_);
    worker.membership = membership;
  } else {
    worker = begun_anew(worker, spec, health_);
  }
  worker.member = true;
  members_.insert(place);
  starting_.insert(place);
  unread_.insert(place);
}

void Fleet::retire(WorkerId id) {
  Worker& worker = at(id);
  LMB_ASSERT(worker.member);
  worker = begun_anew(worker, worker.spec, health_);
  worker.member = false;
  ++worker.membership;
  for (WorkerSet* set :
       {&members_, &up_, &starting_, &draining_, &unread_, &switching_, &broken_}) {
    set->erase(id);
  }
}

void Fleet::change(WorkerId id, const WorkerSpec& spec) {
  Worker& worker = at(id);
  LMB_ASSERT(worker.member && worker.spec.name == spec.name);
  worker.spec = spec;
  if (worker.catalogue_known) {
    size_slots(worker, slots_unknown_);
  }
}

WorkerSet Scheduler::vacant() const noexcept {
  return state_->fleet.vacant();
}

Effects Scheduler::add_worker(WorkerId place, const WorkerSpec& spec, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass(now);
  state.fleet.add(place, spec);
  state.restrand(now);
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::retire_worker(WorkerId worker, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass(now);
  state.keep_deadlines(worker);
  state.fleet.retire(worker);
  state.loads.forget(worker);
  state.models.set_offers(worker, state.fleet.worker(worker));
  state.refuse_impossible(effects);
  state.restrand(now);
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::change_worker(WorkerId worker, const WorkerSpec& spec, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass(now);
  state.fleet.change(worker, spec);
  state.settle(now, effects);
  return effects;
}

}  // namespace lmb::scheduling
