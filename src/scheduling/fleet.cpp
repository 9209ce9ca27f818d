#include "fleet.hpp"

#include <algorithm>

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {
namespace {

void assign(WorkerSet& set, WorkerId id, bool member) noexcept {
  if (member) {
    set.insert(id);
  } else {
    set.erase(id);
  }
}

}  // namespace

Fleet::Fleet(const SchedulerOptions& options, const std::vector<WorkerSpec>& specs)
    : slots_unknown_(options.slots_unknown) {
  LMB_ASSERT(specs.size() <= fleet_size_max);
  LMB_ASSERT(slots_unknown_ >= 1);
  workers_.reserve(specs.size());
  for (const WorkerSpec& spec : specs) {
    // The configuration refuses these before they come here.
    LMB_ASSERT(spec.weight >= 1 && spec.weight <= 1000);
    LMB_ASSERT(spec.slots != 0U && spec.max_in_flight != 0U);
    starting_.insert(WorkerId(static_cast<std::uint32_t>(workers_.size())));
    workers_.emplace_back(spec, options.health);
  }
  unread_ = starting_;
}

const Worker& Fleet::worker(WorkerId id) const {
  LMB_ASSERT(id.value() < workers_.size());
  return workers_[id.value()];
}

const Instance& Fleet::instance(Place place) const {
  const Worker& owner = worker(place.worker);
  LMB_ASSERT(place.instance.value() < owner.instances.size());
  return owner.instances[place.instance.value()];
}

Worker& Fleet::at(WorkerId id) {
  LMB_ASSERT(id.value() < workers_.size());
  return workers_[id.value()];
}

Instance& Fleet::at(Place place) {
  Worker& owner = at(place.worker);
  LMB_ASSERT(place.instance.value() < owner.instances.size());
  return owner.instances[place.instance.value()];
}

bool Fleet::is_free(Place place) const noexcept {
  return workers_[place.worker.value()].has_room() && instance(place).has_free_slot();
}

Candidate Fleet::candidate(Place place) const noexcept {
  const Worker& owner = workers_[place.worker.value()];
  const Instance& entry = instance(place);
  return {.worker = place.worker,
          .instance = place.instance,
          .in_flight = owner.in_flight,
          .weight = owner.spec.weight,
          .last_grant = owner.last_grant,
          .instance_in_flight = entry.in_flight,
          .instance_last_grant = entry.last_grant};
}

bool Fleet::any_free() const noexcept {
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const Worker& each = workers_[i];
    if (open().contains(WorkerId(i)) && each.has_room() &&
        std::any_of(each.instances.begin(), each.instances.end(),
                    [](const Instance& entry) { return entry.has_free_slot(); })) {
      return true;
    }
  }
  return false;
}

void Fleet::take(Place place) {
  Worker& owner = at(place.worker);
  Instance& entry = at(place);
  LMB_ASSERT(open().contains(place.worker));
  LMB_ASSERT(is_free(place));
  ++owner.in_flight;
  ++owner.grants_total;
  ++entry.in_flight;
  owner.last_grant = ++grants_;
  entry.last_grant = grants_;
}

void Fleet::give_back(Place place) {
  Worker& owner = at(place.worker);
  Instance& entry = at(place);
  LMB_ASSERT(owner.in_flight > 0 && entry.in_flight > 0);
  --owner.in_flight;
  --entry.in_flight;
}

std::optional<Transition> Fleet::observe(WorkerId id, bool good) {
  Worker& worker = at(id);
  const WorkerState from = worker.health.state();
  if (!worker.health.observe(good)) {
    return std::nullopt;
  }
  const WorkerState to = worker.health.state();
  assign(up_, id, to == WorkerState::up);
  assign(starting_, id, to == WorkerState::starting);
  return Transition{id, from, to};
}

void Fleet::set_draining(WorkerId id, bool draining) {
  at(id).draining = draining;
  assign(draining_, id, draining);
}

bool Fleet::set_offers(WorkerId id, const Offers& offers) {
  Worker& worker = at(id);
  if (worker.catalogue_known && worker.offers == offers) {
    return false;
  }
  adopt_offers(worker, offers, slots_unknown_);
  unread_.erase(id);
  return true;
}

bool Fleet::sets_are_right() const noexcept {
  WorkerSet up, starting, draining, unread;
  bool sums_are_right = true;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const Worker& worker = workers_[i];
    const WorkerId id(i);
    assign(up, id, worker.health.state() == WorkerState::up);
    assign(starting, id, worker.health.state() == WorkerState::starting);
    assign(draining, id, worker.draining);
    assign(unread, id, !worker.catalogue_known);
    std::uint32_t in_flight = 0;
    for (const Instance& entry : worker.instances) {
      in_flight += entry.in_flight;
    }
    sums_are_right = sums_are_right && in_flight == worker.in_flight;
  }
  return up == up_ && starting == starting_ && draining == draining_ && unread == unread_ &&
         sums_are_right;
}

}  // namespace lmb::scheduling
