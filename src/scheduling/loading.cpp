#include <algorithm>

#include "scheduler_state.hpp"

// Which worker loads which model, when, and who waits for it.

namespace lmb::scheduling {

bool Scheduler::State::held(Place place) const noexcept {
  const WorkerSet busy = fleet.switching() | loads.workers();
  if (!busy.contains(place.worker)) {
    return false;
  }
  const Worker& worker = fleet.worker(place.worker);
  const std::string& model = fleet.instance(place).model;
  if (!worker.switching_to.empty() && worker.switching_to != model) {
    return true;
  }
  return worker.spec.auto_evict && loads.other_coming(place.worker, model);
}

bool Scheduler::State::is_loaded(const Needs& needs, WorkerSet usable) const noexcept {
  return std::any_of(needs.offering.places.begin(), needs.offering.places.end(), [&](Place place) {
    return usable.contains(place.worker) && fleet.instance(place).loaded;
  });
}

bool Scheduler::State::is_coming(const Needs& needs, WorkerSet usable) const noexcept {
  return std::any_of(needs.offering.places.begin(), needs.offering.places.end(), [&](Place place) {
    return usable.contains(place.worker) && loads.coming(place.worker, fleet.instance(place).model);
  });
}

bool Scheduler::State::is_overdue(const Needs& needs, WorkerSet usable, TimePoint now) const {
  return std::all_of(needs.offering.places.begin(), needs.offering.places.end(), [&](Place place) {
    const std::string& model = fleet.instance(place).model;
    if (!usable.contains(place.worker) || !loads.coming(place.worker, model)) {
      return true;
    }
    const auto begun = loads.begun(place.worker, model);
    return begun && now >= add_saturated(*begun, 2 * load_time(place));
  });
}

Duration Scheduler::State::load_time(Place place) const {
  const Instance& instance = fleet.instance(place);
  return loads.load_time(place.worker, instance.model, instance.load_time);
}

std::optional<Place> Scheduler::State::choose_cold(const Needs& needs, WorkerSet usable,
                                                   TimePoint now) const {
  // A load that runs is done sooner than one that begins now, unless it takes far longer than
  // usual. Who could be served without a load else waits as long as a load would take, and no
  // longer: so nobody waits more than twice as long as was needed.
  const bool coming = is_coming(needs, usable);
  const bool in_time = coming && !is_overdue(needs, usable, now);
  const bool can_wait = coming || is_loaded(needs, usable);
  std::optional<Candidate> best;
  Place chosen;
  for (const Place place : needs.offering.places) {
    const Instance& instance = fleet.instance(place);
    if (!usable.contains(place.worker) || instance.loaded || !fleet.is_free(place, now) ||
        held(place) || loads.loading(place.worker, instance.model) ||
        loads.unloadable(place.worker, instance.model, now) ||
        !fleet.clear_for(place.worker, instance.model)) {
      continue;
    }
    // What was loaded and answered is there, though the catalogue does not show it yet.
    const bool there = loads.coming(place.worker, instance.model);
    if (!there && (in_time || (can_wait && now - needs.since < load_time(place)))) {
      continue;
    }
    const Candidate candidate = fleet.candidate(place, now);
    if (!best || better(candidate, *best)) {
      best = candidate;
      chosen = place;
    }
  }
  return best ? std::optional(chosen) : std::nullopt;
}

bool Scheduler::State::unloadable(const Needs& needs, TimePoint now) const {
  const WorkerSet usable = candidates(needs.offering, needs.tried);
  return !usable.empty() &&
         std::all_of(needs.offering.places.begin(), needs.offering.places.end(), [&](Place place) {
           const Instance& instance = fleet.instance(place);
           return !usable.contains(place.worker) ||
                  (!instance.loaded && loads.unloadable(place.worker, instance.model, now));
         });
}

void Scheduler::State::end_load(const Lease& lease, const Report& report, TimePoint now) {
  const WorkerId worker = lease.place.worker;
  const std::string& model = fleet.instance(lease.place).model;
  if (!lease.cold || !is_evidence(lease) || !loads.loading(worker, model)) {
    return;
  }
  const bool nothing_sent = !report.sent && (report.outcome == Outcome::worker_fault ||
                                             report.outcome == Outcome::abandoned);
  const bool refused = (report.outcome == Outcome::model_unavailable && !report.load_tried) ||
                       (report.outcome == Outcome::answered && !report.by_model);
  if (nothing_sent || refused) {
    return loads.withdrawn(worker, model);
  }
  switch (report.outcome) {
    case Outcome::answered:
      loads.answered(worker, model, now);
      break;
    case Outcome::worker_fault:
    case Outcome::model_unavailable:
      loads.failed(worker, model, report.load_error, now);
      break;
    case Outcome::abandoned:
      loads.orphaned(worker, model, load_time(lease.place), now);
      break;
  }
}

void Scheduler::State::note_overdue(const LoadTable::Pair& load) {
  for (const Lease& lease : leases.all()) {
    if (lease.held && lease.cold && !lease.first_token && lease.place.worker == load.worker &&
        is_evidence(lease) && fleet.instance(lease.place).model == load.model) {
      overdue.push_back({load.worker, lease.grant});
    }
  }
}

void Scheduler::State::keep_deadlines(WorkerId worker) {
  for (const Lease& lease : leases.all()) {
    // What comes in one piece may be generated already: nobody would tell.
    if (!lease.held || !lease.cold || !lease.work.stream || lease.first_token ||
        lease.place.worker != worker) {
      continue;
    }
    if (const auto begun = loads.begun(worker, fleet.instance(lease.place).model)) {
      watched.push_back(
          {{worker, lease.grant}, add_saturated(*begun, options.models.load_timeout)});
    }
  }
}

void Scheduler::State::watch_unloaded(WorkerId worker, TimePoint now) {
  for (const Lease& lease : leases.all()) {
    // What comes in one piece may be generated already, here too.
    if (!lease.held || !lease.work.stream || lease.first_token || lease.place.worker != worker ||
        !is_evidence(lease)) {
      continue;
    }
    // The table of loads has a deadline for it.
    if (lease.cold && loads.loading(worker, fleet.instance(lease.place).model)) {
      continue;
    }
    const auto known = std::find_if(watched.begin(), watched.end(), [&](const WatchedLoad& load) {
      return load.request.grant == lease.grant;
    });
    const Instance& instance = fleet.instance(lease.place);
    if (instance.listed && instance.loaded) {
      if (known != watched.end()) {
        watched.erase(known);
        fleet.delivered(worker, now);
      }
    } else if (known == watched.end()) {
      watched.push_back({{worker, lease.grant}, add_saturated(now, options.models.load_timeout)});
    }
  }
}

void Scheduler::State::end_watched(TimePoint now) {
  std::erase_if(watched, [&](const WatchedLoad& load) {
    const auto& all = leases.all();
    const bool waits = std::any_of(all.begin(), all.end(), [&](const Lease& lease) {
      return lease.held && lease.grant == load.request.grant && !lease.first_token;
    });
    if (waits && now >= load.deadline) {
      overdue.push_back(load.request);
    }
    return !waits || now >= load.deadline;
  });
}

bool Scheduler::State::watched_load(WorkerId worker) const noexcept {
  return std::any_of(watched.begin(), watched.end(),
                     [worker](const WatchedLoad& load) { return load.request.worker == worker; });
}

bool Scheduler::State::strike(Place place, TimePoint now, Effects& effects) {
  const Instance& instance = fleet.instance(place);
  // A place that the catalogue tells as on disk, or not at all, was told rightly.
  if (!instance.loaded || !instance.listed) {
    return false;
  }
  Offers offers = fleet.worker(place.worker).offers;
  for (ModelOffer& model : offers.models) {
    if (model.key == instance.model) {
      std::erase_if(model.instances,
                    [&](const InstanceOffer& offer) { return offer.id == *instance.id; });
    }
  }
  fleet.set_offers(place.worker, offers, now);
  models.set_offers(place.worker, fleet.worker(place.worker));
  refuse_impossible(effects);
  restrand(now);
  return true;
}

std::optional<WorkerId> Scheduler::State::choose_switch(const Needs& needs, TimePoint now) const {
  const WorkerSet usable = admitted(needs, now);
  if (is_loaded(needs, usable) || is_coming(needs, usable)) {
    return std::nullopt;
  }
  std::optional<WorkerId> chosen;
  for (const Place place : needs.offering.places) {
    const Instance& instance = fleet.instance(place);
    const Worker& worker = fleet.worker(place.worker);
    if (!usable.contains(place.worker) || loads.unloadable(place.worker, instance.model, now)) {
      continue;
    }
    if (worker.switching_to == instance.model) {
      return std::nullopt;
    }
    const bool rested = !worker.last_switch ||
                        now >= add_saturated(*worker.last_switch, options.models.min_residency);
    if (!rested || held(place)) {
      continue;
    }
    if (!chosen || worker.occupied() < fleet.worker(*chosen).occupied()) {
      chosen = place.worker;
    }
  }
  return chosen;
}

void Scheduler::State::begin_switches(TimePoint now) {
  for (;;) {
    std::optional<TicketId> oldest;
    WorkerId chosen;
    std::string model;
    for (const auto& [key, lane] : queue.lanes()) {
      const TicketId first = *lane.tickets.begin();
      const Needs need = needs(key, lane);
      if ((oldest && *oldest < first) || now - need.since < options.models.switch_after) {
        continue;
      }
      if (const auto worker = choose_switch(need, now)) {
        oldest = first;
        chosen = *worker;
        for (const Place place : need.offering.places) {
          if (place.worker == chosen) {
            model = fleet.instance(place).model;
          }
        }
      }
    }
    if (!oldest) {
      return;
    }
    fleet.begin_switch(chosen, model, now);
  }
}

void Scheduler::State::end_switches() {
  const WorkerSet switching = fleet.switching();
  for (std::uint32_t i = 0; i < fleet.workers().size() && !switching.empty(); ++i) {
    const WorkerId id(i);
    if (!switching.contains(id)) {
      continue;
    }
    // However long what it runs takes: given to the old model again, the new one would never come.
    const Worker& worker = fleet.worker(id);
    const bool wanted =
        std::any_of(queue.lanes().begin(), queue.lanes().end(), [&](const auto& entry) {
          const Needs need = needs(entry.first, entry.second);
          const WorkerSet usable = candidates(need.offering, need.tried);
          return usable.contains(id) && !is_loaded(need, usable) &&
                 std::any_of(need.offering.places.begin(), need.offering.places.end(),
                             [&](Place place) {
                               return place.worker == id &&
                                      fleet.instance(place).model == worker.switching_to;
                             });
        });
    if (!wanted) {
      fleet.end_switch(id);
    }
  }
}

void Scheduler::State::refuse_unloadable(TimePoint now, Effects& effects) {
  std::vector<TicketId> refused;
  for (const auto& [key, lane] : queue.lanes()) {
    if (unloadable(needs(key, lane), now)) {
      refused.insert(refused.end(), lane.tickets.begin(), lane.tickets.end());
    }
  }
  std::sort(refused.begin(), refused.end());
  for (const TicketId ticket : refused) {
    remove(ticket);
    effects.refusals.push_back({ticket, Refusal::load_failed});
  }
}

std::optional<TimePoint> Scheduler::State::next_load(TimePoint now) const {
  std::optional<TimePoint> next = loads.next_change(now);
  const auto at = [&](TimePoint when) {
    if (when > now && (!next || when < *next)) {
      next = when;
    }
  };
  for (const Worker& worker : fleet.workers()) {
    if (worker.last_switch) {
      at(add_saturated(*worker.last_switch, options.models.min_residency));
    }
  }
  for (const auto& [key, lane] : queue.lanes()) {
    const Needs need = needs(key, lane);
    at(add_saturated(need.since, options.models.switch_after));
    for (const Place place : need.offering.places) {
      if (!fleet.instance(place).loaded) {
        at(add_saturated(need.since, load_time(place)));
      }
      if (const auto begun = loads.begun(place.worker, fleet.instance(place).model)) {
        at(add_saturated(*begun, 2 * load_time(place)));
      }
    }
  }
  return next;
}

HoldCounts Scheduler::State::holds(TimePoint now) const {
  HoldCounts counts;
  for (const auto& [key, lane] : queue.lanes()) {
    const Needs need = needs(key, lane);
    const WorkerSet usable = candidates(need.offering, need.tried);
    const WorkerSet barred = fleet.barred(now);
    bool load = is_coming(need, usable);
    bool switching = false;
    bool probation = false;
    bool slow_start = false;
    for (const Place place : need.offering.places) {
      const Instance& instance = fleet.instance(place);
      if (!usable.contains(place.worker) || !instance.has_free_slot()) {
        continue;
      }
      const Worker& worker = fleet.worker(place.worker);
      probation = probation || (barred.contains(place.worker) && worker.breaker.on_trial());
      switching = switching || held(place) ||
                  (!instance.loaded && !fleet.clear_for(place.worker, instance.model));
      load = load || (!instance.loaded && is_loaded(need, usable)) ||
             (instance.loaded && fleet.perhaps_unloaded(place, now));
      slow_start = slow_start || (worker.has_room() && !fleet.is_free(place, now));
    }
    HoldCounts each;
    std::size_t* const named = load         ? &counts.load
                               : switching  ? &counts.switching
                               : probation  ? &counts.probation
                               : slow_start ? &counts.slow_start
                                            : &each.load;
    *named += lane.tickets.size();
  }
  return counts;
}

}  // namespace lmb::scheduling
