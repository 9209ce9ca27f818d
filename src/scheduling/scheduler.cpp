#include "lmb/scheduling/scheduler.hpp"

#include <algorithm>
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
    case WorkerState::suspect:
      return "suspect";
    case WorkerState::down:
      return "down";
    case WorkerState::draining:
      return "draining";
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
    case Refusal::load_failed:
      return "load_failed";
  }
  return "no_worker";
}

namespace {

WorkerSnapshot snapshot_of(WorkerId id, const Worker& worker, SnapshotScope scope) {
  WorkerSnapshot snapshot;
  snapshot.id = id;
  snapshot.name = worker.spec.name;
  const bool finishes = !worker.member || worker.draining;
  snapshot.state =
      finishes && worker.state() != WorkerState::down ? WorkerState::draining : worker.state();
  snapshot.draining = finishes;
  snapshot.retired = !worker.member;
  snapshot.catalogue_known = worker.catalogue_known;
  if (!worker.breaker.closed()) {
    snapshot.breaker_until = worker.breaker.waits_until();
  }
  snapshot.in_flight = worker.in_flight;
  snapshot.settling = worker.settling;
  snapshot.slots = worker.member ? std::max<std::uint32_t>(1, worker.slots) : 0;
  snapshot.switching_to = worker.switching_to;
  snapshot.grants_total = worker.grants_total;
  for (const Instance& instance : worker.instances) {
    const bool in_use = instance.loaded || instance.occupied() > 0;
    if (!instance.vacant() && (in_use || scope == SnapshotScope::all_models)) {
      snapshot.instances.push_back({.id = *instance.id,
                                    .model = instance.model,
                                    .loaded = instance.loaded,
                                    .listed = instance.listed,
                                    .in_flight = instance.in_flight,
                                    .settling = instance.occupied() - instance.in_flight,
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
  state.pass(now);
  if (!demand.again) {
    state.retries.pay_in();
  }
  const auto [model, tried] = state.resolve(demand, now);
  const bool rename = model != demand.model;
  const Offering offering = state.models.find(model);
  if (const auto why = state.impossible(offering, tried)) {
    return *why;
  }
  // Work conservation lets the newcomer take a free slot at once: nobody older waits for one.
  const std::uint64_t tokens = context_step(demand.prompt_tokens);
  const Needs needs{offering, tried, tokens, now};
  if (const auto place = state.choose(needs, now)) {
    Lease lease;
    lease.work = {demand.stream, demand.prompt_tokens, demand.acts};
    Slot slot = state.take(*place, lease, rename, now);
    // A trial that begins may leave others without a worker that is admitted: the caller's tick()
    // gives them one by panic.
    if (!slot.watched || state.queue.empty()) {
      state.check(now);
    }
    return slot;
  }
  if (state.unloadable(needs, now)) {
    return Refusal::load_failed;
  }
  if (demand.deadline <= now) {
    return Refusal::deadline;
  }
  const bool stranded = state.stranded(offering, tried);
  if (stranded && state.options.no_worker_grace <= Duration::zero()) {
    return Refusal::no_worker;
  }
  if (state.queue.size() >= state.options.queue_length) {
    return Refusal::queue_full;
  }
  const LaneKey key{state.models.retain(model), tried, tokens, rename};
  const TicketId ticket = state.queue.push(key, now, demand.deadline,
                                           {demand.stream, demand.prompt_tokens, demand.acts});
  auto& lane = state.queue.lane_of(ticket);
  if (stranded && !lane.stranded_since) {
    lane.stranded_since = now;
  }
  state.check(now);
  return ticket;
}

bool Scheduler::withdraw(TicketId ticket) {
  return state_->remove(ticket);
}

Effects Scheduler::first_token(const Slot& slot, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass(now);
  const Lease& lease = state.leases.find(slot.lease);
  state.leases.note_first_token(slot.lease);
  state.fleet.free_settled_before(lease.place, lease.granted);
  if (state.is_evidence(lease)) {
    state.end_load(lease, Outcome::answered, now);
    state.fleet.used(lease.place, now);
    state.fleet.delivered(slot.worker, now);
    state.fleet.succeeded(slot.worker, now);
    state.tell(slot.worker, now, effects);
  }
  state.settle(now, effects);
  return effects;
}

void Scheduler::note_first_token(const Slot& slot, TimePoint now) {
  const Lease& lease = state_->leases.find(slot.lease);
  state_->leases.note_first_token(slot.lease);
  if (state_->is_evidence(lease)) {
    state_->fleet.used(lease.place, now);
  }
}

void Scheduler::excuse_silence(TimePoint now) {
  for (std::uint32_t i = 0; i < state_->fleet.workers().size(); ++i) {
    state_->fleet.excuse(WorkerId(i), now);
  }
}

void Scheduler::held_back(const Slot& slot) {
  state_->leases.note_held_back(slot.lease);
}

Effects Scheduler::finish(const Slot& slot, const Report& report, TimePoint now) {
  State& state = *state_;
  Effects effects;
  state.pass(now);
  const Lease lease = state.leases.remove(slot.lease);
  LMB_ASSERT(lease.place.worker == slot.worker && lease.place.instance == slot.instance);
  state.end_load(lease, report, now);
  state.release(lease, report, now);
  state.finish_rate.finish(now);
  state.learn(lease, report, now, effects);
  state.tell(slot.worker, now, effects);
  state.settle(now, effects);
  return effects;
}

bool Scheduler::take_retry(TimePoint now) {
  State& state = *state_;
  const bool granted = state.retries.take(now);
  state.retries_refused += granted ? 0 : 1;
  return granted;
}

void Scheduler::give_back_retry() noexcept {
  state_->retries.give_back();
}

Effects Scheduler::observe_probe(WorkerId worker, const ProbeReport& probe, TimePoint now) {
  State& state = *state_;
  Effects effects;
  if (!state.fleet.members().contains(worker)) {
    return effects;
  }
  state.pass(now);
  if (probe.last_bytes) {
    state.fleet.delivered(worker, *probe.last_bytes);
  }
  // A worker that is busy decoding may be late with its greeting; it is not dead.
  const bool delivered = state.fleet.worker(worker).last_delivery >= probe.begun;
  // Nor is one that answers nothing else while it loads a model.
  const bool loads =
      probe.connected && (state.loads.loading(worker) != nullptr || state.watched_load(worker));
  if (probe.alive || !probe.timed_out || !(delivered || loads)) {
    state.fleet.observe_probe(worker, probe.alive, now);
  }
  state.judge_silence(worker, now, effects);
  state.tell(worker, now, effects);
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::set_offers(WorkerId worker, const Offers& offers, TimePoint now) {
  State& state = *state_;
  Effects effects;
  if (!state.fleet.members().contains(worker)) {
    return effects;
  }
  state.pass(now);
  if (state.fleet.set_offers(worker, offers, now)) {
    for (const ModelOffer& model : offers.models) {
      if (!model.instances.empty() && state.loads.coming(worker, model.key)) {
        state.loads.seen(worker, model.key, now);
        // That is work done: silence counts from here.
        state.fleet.delivered(worker, now);
      }
    }
    state.models.set_offers(worker, state.fleet.worker(worker));
    state.refuse_impossible(effects);
    state.restrand(now);
  }
  state.watch_unloaded(worker, now);
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::set_draining(WorkerId worker, bool draining, TimePoint now) {
  State& state = *state_;
  Effects effects;
  if (!state.fleet.members().contains(worker)) {
    return effects;
  }
  state.pass(now);
  state.fleet.set_draining(worker, draining, now);
  state.restrand(now);
  state.settle(now, effects);
  return effects;
}

Effects Scheduler::tick(TimePoint now) {
  Effects effects;
  state_->pass(now);
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
  return effects;
}

std::optional<TimePoint> Scheduler::next_tick(TimePoint now) const {
  const auto expiry = state_->queue.next_expiry(state_->options.no_worker_grace);
  if (!expiry) {
    return std::nullopt;
  }
  TimePoint next = expiry->at;
  // The end of the startup grace strands those that hoped for a worker still starting.
  if (!state_->startup_over) {
    next = std::min(next, state_->startup_end);
  }
  if (const auto change = state_->fleet.next_change(now)) {
    next = std::min(next, *change);
  }
  if (const auto load = state_->next_load(now)) {
    next = std::min(next, *load);
  }
  return next;
}

FleetSnapshot Scheduler::snapshot(TimePoint now, SnapshotScope scope) const {
  FleetSnapshot snapshot;
  snapshot.queued = state_->queue.size();
  snapshot.leases = state_->leases.size();
  snapshot.panic_grants_total = state_->panic_grants;
  snapshot.retries_refused_total = state_->retries_refused;
  const auto& workers = state_->fleet.workers();
  snapshot.workers.reserve(workers.size());
  for (std::uint32_t i = 0; i < workers.size(); ++i) {
    if (workers[i].vacant()) {
      continue;
    }
    snapshot.workers.push_back(snapshot_of(WorkerId(i), workers[i], scope));
    if (const std::string* loading = state_->loads.loading(WorkerId(i))) {
      snapshot.workers.back().loading = *loading;
    }
  }
  snapshot.holds = state_->holds(now);
  return snapshot;
}

}  // namespace lmb::scheduling
