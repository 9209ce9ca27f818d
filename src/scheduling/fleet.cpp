#include "fleet.hpp"

#include <algorithm>
#include <bit>

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
    : slots_unknown_(options.slots_unknown),
      health_(options.health),
      random_(options.seed),
      idle_unload_(options.models.idle_unload) {
  LMB_ASSERT(specs.size() <= fleet_size_max);
  LMB_ASSERT(slots_unknown_ >= 1);
  workers_.reserve(specs.size());
  for (const WorkerSpec& spec : specs) {
    add(WorkerId(static_cast<std::uint32_t>(workers_.size())), spec);
  }
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

bool Fleet::is_free(Place place, TimePoint now) const noexcept {
  const Worker& owner = workers_[place.worker.value()];
  return owner.has_room() &&
         owner.slow_start.allows(owner.occupied(), owner.slots, health_.slow_start, now) &&
         instance(place).has_free_slot() &&
         (instance(place).occupied() == 0 || !perhaps_unloaded(place, now));
}

bool Fleet::perhaps_unloaded(Place place, TimePoint now) const noexcept {
  return now - instance(place).last_used >= idle_unload_;
}

WorkerSet Fleet::barred(TimePoint now) const noexcept {
  WorkerSet barred;
  for (std::uint64_t bits = broken_.bits(); bits != 0; bits &= bits - 1) {
    const WorkerId id(static_cast<std::uint32_t>(std::countr_zero(bits)));
    if (!workers_[id.value()].breaker.admits(now)) {
      barred.insert(id);
    }
  }
  return barred;
}

std::optional<TimePoint> Fleet::next_change(TimePoint now) const {
  std::optional<TimePoint> next;
  const auto at = [&](TimePoint when) {
    if (when > now && (!next || when < *next)) {
      next = when;
    }
  };
  for (const Worker& worker : workers_) {
    if (!worker.breaker.closed()) {
      at(worker.breaker.waits_until());
    }
    if (const auto step =
            worker.slow_start.waits_until(worker.occupied(), worker.slots, health_.slow_start)) {
      at(*step);
    }
    for (const Instance& entry : worker.instances) {
      for (const Settling& settling : entry.settling) {
        at(settling.until);
      }
    }
  }
  return next;
}

Candidate Fleet::candidate(Place place, TimePoint now) const noexcept {
  const Worker& owner = workers_[place.worker.value()];
  const Instance& entry = instance(place);
  return {.worker = place.worker,
          .instance = place.instance,
          // One on probation is to be tried, or nobody would ever know.
          .suspect = owner.told == WorkerState::suspect &&
                     (owner.breaker.closed() || !owner.breaker.admits(now)),
          .in_flight = owner.occupied(),
          .weight = owner.spec.weight,
          .last_grant = owner.last_grant,
          .instance_in_flight = entry.occupied(),
          .instance_last_grant = entry.last_grant};
}

bool Fleet::any_free(TimePoint now) const noexcept {
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const Worker& each = workers_[i];
    for (std::uint32_t k = 0; k < each.instances.size(); ++k) {
      if (open().contains(WorkerId(i)) && is_free({WorkerId(i), InstanceId(k)}, now)) {
        return true;
      }
    }
  }
  return false;
}

bool Fleet::take(Place place, TimePoint now) {
  Worker& owner = at(place.worker);
  Instance& entry = at(place);
  LMB_ASSERT(open().contains(place.worker));
  LMB_ASSERT(is_free(place, now));
  // One that was found wedged is judged anew by what it is given from then on, also while what it
  // ran before is still being taken away: no request must wait for ever.
  if (owner.in_flight++ == 0 || owner.silent) {
    owner.busy_since = now;
    owner.silent = false;
  }
  ++owner.grants_total;
  ++entry.in_flight;
  owner.last_grant = ++grants_;
  entry.last_grant = grants_;
  if (owner.breaker.closed() || !owner.breaker.admits(now)) {
    return false;
  }
  owner.breaker.begin_trial(now);
  return true;
}

void Fleet::give_back(Place place) {
  Worker& owner = at(place.worker);
  Instance& entry = at(place);
  LMB_ASSERT(owner.in_flight > 0 && entry.in_flight > 0);
  --owner.in_flight;
  --entry.in_flight;
}

void Fleet::settle(Place place, const Settling& settling) {
  give_back(place);
  at(place).settling.push_back(settling);
  ++at(place.worker).settling;
  ++settling_;
}

void Fleet::free_settled(TimePoint now) {
  if (settling_ == 0) {
    return;
  }
  for (Worker& owner : workers_) {
    for (Instance& entry : owner.instances) {
      const auto freed = static_cast<std::uint32_t>(std::erase_if(
          entry.settling, [now](const Settling& settling) { return settling.until <= now; }));
      owner.settling -= freed;
      settling_ -= freed;
    }
  }
}

void Fleet::free_settled_before(Place place, TimePoint granted) {
  const auto freed = static_cast<std::uint32_t>(
      std::erase_if(at(place).settling,
                    [granted](const Settling& settling) { return settling.granted <= granted; }));
  at(place.worker).settling -= freed;
  settling_ -= freed;
}

void Fleet::observe_probe(WorkerId id, bool good, TimePoint now) {
  Worker& worker = at(id);
  const WorkerState before = worker.health.state();
  worker.health.observe(good);
  if (good) {
    worker.breaker.forget(now);
  }
  const WorkerState after = worker.health.state();
  assign(up_, id, after == WorkerState::up);
  assign(starting_, id, after == WorkerState::starting);
  if (before == WorkerState::down && after == WorkerState::up) {
    worker.slow_start.begin(now);
  }
}

void Fleet::delivered(WorkerId id, TimePoint now) {
  Worker& worker = at(id);
  worker.last_delivery = std::max(worker.last_delivery, now);
  worker.silent = false;
}

void Fleet::succeeded(WorkerId id, TimePoint now) {
  Worker& worker = at(id);
  if (worker.breaker.success()) {
    worker.slow_start.begin(now);
  }
  broken_.erase(id);
}

void Fleet::failed(WorkerId id, TimePoint now) {
  Worker& worker = at(id);
  worker.breaker.fault(now, random_);
  assign(broken_, id, !worker.breaker.closed());
}

void Fleet::trial_ended(WorkerId id) {
  at(id).breaker.end_trial();
}

void Fleet::excuse(WorkerId id, TimePoint until) {
  Worker& worker = at(id);
  worker.excused_until = std::max(worker.excused_until, until);
}

void Fleet::found_wedged(WorkerId id, TimePoint now) {
  Worker& worker = at(id);
  worker.silent = true;
  worker.breaker.open(now, random_);
  broken_.insert(id);
}

std::optional<Transition> Fleet::transition(WorkerId id) {
  Worker& worker = at(id);
  const WorkerState from = worker.told;
  worker.told = worker.state();
  return worker.told == from ? std::nullopt : std::optional(Transition{id, from, worker.told});
}

void Fleet::set_draining(WorkerId id, bool draining, TimePoint now) {
  Worker& worker = at(id);
  if (worker.draining && !draining) {
    worker.slow_start.begin(now);
  }
  worker.draining = draining;
  assign(draining_, id, draining);
}

void Fleet::used(Place place, TimePoint now) {
  at(place).last_used = now;
}

void Fleet::begin_switch(WorkerId id, const std::string& model, TimePoint now) {
  Worker& worker = at(id);
  worker.switching_to = model;
  worker.last_switch = now;
  switching_.insert(id);
}

void Fleet::end_switch(WorkerId id) {
  at(id).switching_to.clear();
  switching_.erase(id);
}

bool Fleet::clear_for(WorkerId id, const std::string& model) const noexcept {
  const Worker& worker = workers_[id.value()];
  return !worker.spec.auto_evict ||
         std::all_of(worker.instances.begin(), worker.instances.end(), [&](const Instance& entry) {
           return entry.model == model || entry.occupied() == 0;
         });
}

bool Fleet::set_offers(WorkerId id, const Offers& offers, TimePoint now) {
  Worker& worker = at(id);
  if (worker.catalogue_known && worker.offers == offers) {
    return false;
  }
  adopt_offers(worker, offers, slots_unknown_, now);
  unread_.erase(id);
  return true;
}

bool Fleet::sets_are_right() const noexcept {
  WorkerSet members, up, starting, draining, unread, broken;
  bool sums_are_right = true;
  std::uint32_t all_settling = 0;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const Worker& worker = workers_[i];
    const WorkerId id(i);
    assign(members, id, worker.member);
    assign(up, id, worker.member && worker.health.state() == WorkerState::up);
    assign(starting, id, worker.member && worker.health.state() == WorkerState::starting);
    assign(draining, id, worker.member && worker.draining);
    assign(unread, id, worker.member && !worker.catalogue_known);
    assign(broken, id, worker.member && !worker.breaker.closed());
    std::uint32_t in_flight = 0;
    std::uint32_t settling = 0;
    for (const Instance& entry : worker.instances) {
      in_flight += entry.in_flight;
      settling += static_cast<std::uint32_t>(entry.settling.size());
    }
    all_settling += settling;
    sums_are_right = sums_are_right && in_flight == worker.in_flight && settling == worker.settling;
  }
  return members == members_ && up == up_ && starting == starting_ && draining == draining_ &&
         unread == unread_ && broken == broken_ && all_settling == settling_ && sums_are_right;
}

}  // namespace lmb::scheduling
