#include "lmb/scheduling/scheduler.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "lmb/base/assert.hpp"
#include "scheduler_state.hpp"

namespace lmb::scheduling {

std::string_view to_string(WorkerState state) noexcept {
  switch (state) {
    case WorkerState::starting:
      return "starting";
    case WorkerState::up:
      return "up";
    case WorkerState::down:
      return "down";
  }
  return "down";
}

std::string_view to_string(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::queue_full:
      return "queue_full";
    case Refusal::unknown_model:
      return "unknown_model";
    case Refusal::no_worker:
      return "no_worker";
    case Refusal::deadline:
      return "deadline";
    case Refusal::closed:
      return "closed";
    case Refusal::all_tried:
      return "all_tried";
  }
  return "no_worker";
}

namespace {

WorkerSnapshot snapshot_of(WorkerId id, const Worker& worker) {
  WorkerSnapshot snapshot;
  snapshot.id = id;
  snapshot.name = worker.spec.name;
  snapshot.state = worker.health.state();
  snapshot.draining = worker.draining;
  snapshot.catalogue_known = worker.catalogue_known;
  snapshot.in_flight = worker.in_flight;
  snapshot.slots = slots_of(worker);
  snapshot.grants_total = worker.grants_total;
  for (const Instance& instance : worker.instances) {
    if (!instance.vacant()) {
      snapshot.instances.push_back({.id = *instance.id,
                                    .model = instance.model,
                                    .loaded = instance.loaded,
                                    .listed = instance.listed,
                                    .in_flight = instance.in_flight,
                                    .slots = instance.slots,
                                    .context_length = instance.context_length});
    }
  }
  return snapshot;
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, const std::vector<WorkerSpec>& fleet,
                     TimePoint now)
    : state_(std::make_unique<State>(options, fleet, now)) {}
Scheduler::~Scheduler() = default;
Scheduler::Scheduler(Scheduler&&) noexcept = default;
Scheduler& Scheduler::operator=(Scheduler&&) noexcept = default;

Submitted Scheduler::submit(const Demand& demand, TimePoint now) {
  State& state = *state_;
  if (state.closed) {
    return Refusal::closed;
  }
  state.pass_startup(now);
  if (demand.tried.empty()) {
    state.retries.pay_in();
  }
  const Offering offering = state.models.find(demand.model);
  if (const auto why = state.impossible(offering, demand.tried)) {
    return *why;
  }
  // Work conservation lets the newcomer take a free slot at once: nobody older waits for one.
  if (const auto place = state.choose(offering, demand.tried)) {
    const Slot slot = state.take(*place, now);
    state.check();
    return slot;
  }
  if (demand.deadline <= now) {
    return Refusal::deadline;
  }
  const bool stranded = state.stranded(offering, demand.tried);
  if (stranded && state.options.no_worker_grace <= Duration::zero()) {
    return Refusal::no_worker;
  }
  if (state.queue.size() >= state.options.queue_length) {
    return Refusal::queue_full;
  }
  const LaneKey key{state.models.retain(demand.model), demand.tried};
  const TicketId ticket = state.queue.push(key, now, demand.deadline);
  auto& lane = state.queue.lane_of(ticket);
  if (stranded && !lane.stranded_since) {
    lane.stranded_since = now;
  }
  state.check();
  return ticket;
}

bool Scheduler::withdraw(TicketId ticket) {
  const bool waited = state_->remove(ticket);
  state_->check();
  return waited;
}

Effects Scheduler::finish(const Slot& slot, Outcome outcome, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass_startup(now);
  const Place place = state.leases.remove(slot.lease).place;
  LMB_ASSERT(place.worker == slot.worker && place.instance == slot.instance);
  const WorkerId worker = place.worker;
  state.fleet.give_back(place);
  state.finish_rate.finish(now);
  switch (outcome) {
    case Outcome::answered:
      // An answer that was begun before a worker went down does not prove that it is back: only
      // probes do.
      if (state.fleet.worker(worker).health.state() == WorkerState::up) {
        state.observe(worker, true, effects);
      }
      break;
    case Outcome::worker_fault:
      state.observe(worker, false, effects);
      break;
    case Outcome::abandoned:
      break;
  }
  if (!effects.transitions.empty()) {
    state.restrand(now);
  }
  state.settle(now, effects);
  return effects;
}

bool Scheduler::take_retry(TimePoint now) {
  State& state = *state_;
  const bool granted = state.retries.take(now);
  state.retries_refused += granted ? 0 : 1;
  return granted;
}

Effects Scheduler::observe_probe(WorkerId worker, bool alive, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass_startup(now);
  state.observe(worker, alive, effects);
  if (!effects.transitions.empty()) {
    state.restrand(now);
  }
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::set_offers(WorkerId worker, const Offers& offers, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass_startup(now);
  if (state.fleet.set_offers(worker, offers)) {
    state.models.set_offers(worker, state.fleet.worker(worker));
    state.refuse_impossible(effects);
    state.restrand(now);
  }
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::set_draining(WorkerId worker, bool draining, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass_startup(now);
  state.fleet.set_draining(worker, draining);
  state.restrand(now);
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::tick(TimePoint now) {
  Effects effects;
  state_->pass_startup(now);
  state_->settle(now, effects);
  return effects;
}

Effects Scheduler::close() {
  State& state = *state_;
  Effects effects;
  state.closed = true;
  for (const auto& [key, lane] : state.queue.lanes()) {
    for (const TicketId ticket : lane.tickets) {
      effects.refusals.push_back({ticket, Refusal::closed});
    }
  }
  std::sort(effects.refusals.begin(), effects.refusals.end(),
            [](const RefusedTicket& a, const RefusedTicket& b) { return a.ticket < b.ticket; });
  for (const RefusedTicket& refused : effects.refusals) {
    state.remove(refused.ticket);
  }
  state.check();
  return effects;
}

std::optional<TimePoint> Scheduler::next_tick() const {
  const auto expiry = state_->queue.next_expiry(state_->options.no_worker_grace);
  if (!expiry) {
    return std::nullopt;
  }
  // The end of the startup grace strands those that hoped for a worker still starting.
  return state_->startup_over ? expiry->at : std::min(expiry->at, state_->startup_end);
}

FleetSnapshot Scheduler::snapshot() const {
  FleetSnapshot snapshot;
  snapshot.queued = state_->queue.size();
  snapshot.retries_refused_total = state_->retries_refused;
  const auto& workers = state_->fleet.workers();
  snapshot.workers.reserve(workers.size());
  for (std::uint32_t i = 0; i < workers.size(); ++i) {
    snapshot.workers.push_back(snapshot_of(WorkerId(i), workers[i]));
  }
  return snapshot;
}

std::size_t Scheduler::queued() const noexcept {
  return state_->queue.size();
}

bool Scheduler::any_up() const noexcept {
  return !state_->fleet.open().empty();
}

std::uint32_t Scheduler::retry_after_seconds(TimePoint now) const {
  constexpr double least = 1;
  constexpr double most = 60;
  const State& state = *state_;
  if (state.queue.empty() && state.fleet.any_free()) {
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
