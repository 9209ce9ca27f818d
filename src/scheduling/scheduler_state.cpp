#include "scheduler_state.hpp"

#include <algorithm>

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {

Scheduler::State::State(const SchedulerOptions& scheduler_options,
                        const std::vector<WorkerSpec>& specs, TimePoint now)
    : options(scheduler_options),
      fleet(scheduler_options, specs),
      loads(scheduler_options.models),
      retries(scheduler_options.retry, now),
      startup_end(add_saturated(now, scheduler_options.startup_grace)) {
  pass(now);
}

WorkerSet Scheduler::State::holders(const Offering& offering) const noexcept {
  return offering.listed | fleet.unread();
}

WorkerSet Scheduler::State::candidates(const Offering& offering, WorkerSet tried) const noexcept {
  return (offering.listed & fleet.open()) - tried;
}

WorkerSet Scheduler::State::admitted(const Needs& needs, TimePoint now) const noexcept {
  const WorkerSet usable = candidates(needs.offering, needs.tried);
  // When breakers exclude everyone they know less than nothing: panic.
  const WorkerSet admitted = usable - fleet.barred(now);
  return admitted.empty() ? usable : admitted;
}

std::optional<Place> Scheduler::State::choose(const Needs& needs, TimePoint now) const noexcept {
  const WorkerSet usable = admitted(needs, now);
  bool any_fits = false;
  for (const Place place : needs.offering.places) {
    const Instance& instance = fleet.instance(place);
    any_fits = any_fits || (usable.contains(place.worker) && instance.loaded &&
                            instance.fits(needs.prompt_tokens));
  }
  std::optional<Candidate> best;
  Place chosen;
  for (const Place place : needs.offering.places) {
    const Instance& instance = fleet.instance(place);
    const bool wanted = usable.contains(place.worker) && instance.loaded &&
                        (!any_fits || instance.fits(needs.prompt_tokens));
    if (!wanted || !fleet.is_free(place, now) || held(place)) {
      continue;
    }
    const Candidate candidate = fleet.candidate(place, now);
    if (!best || better(candidate, *best)) {
      best = candidate;
      chosen = place;
    }
  }
  return best ? std::optional(chosen) : choose_cold(needs, usable, now);
}

Needs Scheduler::State::needs(const LaneKey& key, const WaitQueue::Lane& lane) const {
  return {models.find(key.model), key.tried, key.prompt_tokens,
          queue.arrived(*lane.tickets.begin())};
}

std::optional<Place> Scheduler::State::choose(const LaneKey& key, const WaitQueue::Lane& lane,
                                              TimePoint now) const {
  return choose(needs(key, lane), now);
}

bool Scheduler::State::serves(std::string_view name, WorkerSet tried, TimePoint now) const {
  const Offering offering = models.find(name);
  return !candidates(offering, tried).empty() && !unloadable({offering, tried, 0, now}, now);
}

bool Scheduler::State::is_same(std::string_view name, const std::string& model) const {
  if (name == model) {
    return true;
  }
  const auto places = models.find(name).places;
  const auto others = models.find(model).places;
  return std::any_of(places.begin(), places.end(), [&](Place place) {
    return std::any_of(others.begin(), others.end(), [place](Place other) {
      return other.worker == place.worker && other.instance == place.instance;
    });
  });
}

std::string_view Scheduler::State::unalias(std::string_view name) const {
  const auto& aliases = options.models.aliases;
  if (aliases.empty() || !models.find(name).listed.empty()) {
    return name;
  }
  const auto found = std::find_if(aliases.begin(), aliases.end(),
                                  [name](const ModelAlias& alias) { return alias.name == name; });
  return found == aliases.end() ? name : std::string_view(found->model);
}

Scheduler::State::Meaning Scheduler::State::resolve(const Demand& demand, TimePoint now) const {
  const std::string_view name = unalias(demand.model);
  const Meaning itself{name, demand.tried | demand.cannot_load};
  if (options.models.fallbacks.empty() || serves(name, itself.tried - demand.lacking, now)) {
    return itself;
  }
  for (const ModelFallback& fallback : options.models.fallbacks) {
    if (!is_same(name, fallback.model)) {
      continue;
    }
    for (const std::string& instead : fallback.instead) {
      if (serves(instead, demand.tried, now)) {
        return {instead, demand.tried};
      }
    }
  }
  return itself;
}

bool Scheduler::State::stranded(const Offering& offering, WorkerSet tried) const noexcept {
  const WorkerSet may_start = (holders(offering) & fleet.starting()) - tried;
  return candidates(offering, tried).empty() && (startup_over || may_start.empty());
}

std::optional<Refusal> Scheduler::State::impossible(const Offering& offering,
                                                    WorkerSet tried) const noexcept {
  const WorkerSet holding = holders(offering);
  if (holding.empty()) {
    return Refusal::unknown_model;
  }
  if ((holding - tried).empty()) {
    return Refusal::all_tried;
  }
  return std::nullopt;
}

Slot Scheduler::State::take(Place place, const Lease& lease, bool rename, TimePoint now) {
  Lease taken = lease;
  taken.place = place;
  taken.membership = fleet.worker(place.worker).membership;
  taken.granted = now;
  panic_grants += fleet.barred(now).contains(place.worker) ? 1U : 0U;
  taken.trial = fleet.take(place, now);
  taken.grant = fleet.worker(place.worker).last_grant;
  finish_rate.begin(now);
  const Instance& instance = fleet.instance(place);
  taken.cold = !instance.loaded;
  if (taken.cold) {
    loads.begin(place.worker, instance.model, now);
    fleet.end_switch(place.worker);
  }
  return {.worker = place.worker,
          .instance = place.instance,
          .lease = leases.add(taken),
          .grant = taken.grant,
          .cold = !instance.loaded,
          // Nobody can say how long a prompt of unknown size may be silent: its first token can.
          .watched = taken.trial || !instance.settling.empty() || !instance.loaded ||
                     fleet.perhaps_unloaded(place, now) ||
                     (taken.work.stream && taken.work.prompt_tokens == 0),
          .id = instance.id,
          .rename = place.rename || rename};
}

bool Scheduler::State::is_evidence(const Lease& lease) const {
  const Worker& worker = fleet.worker(lease.place.worker);
  return worker.member && worker.membership == lease.membership;
}

bool Scheduler::State::remove(TicketId ticket) {
  const auto lane = queue.remove(ticket);
  if (lane) {
    models.release(lane->model);
  }
  return lane.has_value();
}

void Scheduler::State::pass(TimePoint now) {
  fleet.free_settled(now);
  for (const LoadTable::Pair& load : loads.expire(now)) {
    note_overdue(load);
  }
  end_watched(now);
  if (!startup_over && now >= startup_end) {
    startup_over = true;
    restrand(startup_end);
  }
}

void Scheduler::State::tell(WorkerId worker, TimePoint now, Effects& effects) {
  if (const auto transition = fleet.transition(worker)) {
    effects.transitions.push_back(*transition);
    restrand(now);
  }
}

void Scheduler::State::restrand(TimePoint now) {
  for (auto& [key, lane] : queue.lanes()) {
    if (!stranded(models.find(key.model), key.tried)) {
      lane.stranded_since.reset();
    } else if (!lane.stranded_since) {
      lane.stranded_since = now;
    }
  }
}

void Scheduler::State::grant_waiting(TimePoint now, Effects& effects) {
  while (!queue.empty()) {
    std::optional<TicketId> oldest;
    Place chosen;
    bool rename = false;
    for (const auto& [key, lane] : queue.lanes()) {
      const TicketId first = *lane.tickets.begin();
      if (oldest && *oldest < first) {
        continue;
      }
      if (const auto place = choose(key, lane, now)) {
        oldest = first;
        chosen = *place;
        rename = key.rename;
      }
    }
    if (!oldest) {
      return;
    }
    Lease lease;
    lease.work = queue.work_of(*oldest);
    effects.grants.push_back({*oldest, take(chosen, lease, rename, now)});
    remove(*oldest);
  }
}

void Scheduler::State::refuse_impossible(Effects& effects) {
  const std::size_t first_new = effects.refusals.size();
  for (const auto& [key, lane] : queue.lanes()) {
    if (const auto why = impossible(models.find(key.model), key.tried)) {
      for (const TicketId ticket : lane.tickets) {
        effects.refusals.push_back({ticket, *why});
      }
    }
  }
  const auto begin = effects.refusals.begin() + static_cast<std::ptrdiff_t>(first_new);
  std::sort(begin, effects.refusals.end(),
            [](const RefusedTicket& a, const RefusedTicket& b) { return a.ticket < b.ticket; });
  std::for_each(begin, effects.refusals.end(),
                [this](const RefusedTicket& refused) { remove(refused.ticket); });
}

void Scheduler::State::refuse_expired(TimePoint now, Effects& effects) {
  for (;;) {
    const auto next = queue.next_expiry(options.no_worker_grace);
    if (!next || next->at > now) {
      return;
    }
    remove(next->ticket);
    effects.refusals.push_back(
        {next->ticket, next->stranded ? Refusal::no_worker : Refusal::deadline});
  }
}

void Scheduler::State::settle(TimePoint now, Effects& effects) {
  end_switches();
  grant_waiting(now, effects);
  begin_switches(now);
  refuse_unloadable(now, effects);
  refuse_expired(now, effects);
  effects.overdue.swap(overdue);
  check(now);
}

void Scheduler::State::check([[maybe_unused]] TimePoint now) const {
  LMB_ASSERT(queue.size() <= options.queue_length);
  LMB_ASSERT(queue.empty() == queue.lanes().empty());
#ifndef NDEBUG
  LMB_ASSERT(fleet.sets_are_right());
  LMB_ASSERT(queue.consistent());
  LMB_ASSERT(models.waiting() == queue.size());
  for (const auto& [key, lane] : queue.lanes()) {
    LMB_ASSERT(!choose(key, lane, now));
    LMB_ASSERT(lane.stranded_since.has_value() == stranded(models.find(key.model), key.tried));
    LMB_ASSERT(!impossible(models.find(key.model), key.tried));
  }
#endif
}

}  // namespace lmb::scheduling
