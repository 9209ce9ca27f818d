#include "fleet.hpp"

#include <array>
#include <bit>
#include <span>
#include <utility>

#include "lmb/base/assert.hpp"
#include "selection.hpp"

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
    const WorkerId id(static_cast<std::uint32_t>(workers_.size()));
    Worker& worker = workers_.emplace_back(spec, options.health);
    worker.slots = slots_of(worker, slots_unknown_);
    all_.insert(id);
    update_free(id);
  }
  starting_ = all_;
  unread_ = all_;
}

const Worker& Fleet::worker(WorkerId id) const {
  LMB_ASSERT(id.value() < workers_.size());
  return workers_[id.value()];
}

Worker& Fleet::at(WorkerId id) {
  LMB_ASSERT(id.value() < workers_.size());
  return workers_[id.value()];
}

void Fleet::update_free(WorkerId id) {
  const Worker& worker = at(id);
  assign(free_, id, worker.in_flight < worker.slots);
}

WorkerId Fleet::least_outstanding(WorkerSet eligible) const noexcept {
  std::array<Candidate, fleet_size_max> candidates;
  std::size_t count = 0;
  for (std::uint64_t bits = eligible.bits(); bits != 0; bits &= bits - 1) {
    const WorkerId id(static_cast<std::uint32_t>(std::countr_zero(bits)));
    const Worker& worker = workers_[id.value()];
    Candidate& candidate = candidates[count++];
    candidate.worker = id;
    candidate.in_flight = worker.in_flight;
    candidate.weight = worker.spec.weight;
    candidate.last_grant = worker.last_grant;
  }
  return pick(std::span(candidates).first(count));
}

void Fleet::take(WorkerId id) {
  Worker& worker = at(id);
  LMB_ASSERT(open().contains(id));
  LMB_ASSERT(worker.in_flight < worker.slots);
  ++worker.in_flight;
  ++worker.grants_total;
  worker.last_grant = ++grants_;
  ++in_flight_;
  update_free(id);
}

void Fleet::give_back(WorkerId id) {
  Worker& worker = at(id);
  LMB_ASSERT(worker.in_flight > 0);
  --worker.in_flight;
  --in_flight_;
  update_free(id);
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

bool Fleet::set_offers(WorkerId id, Offers offers) {
  Worker& worker = at(id);
  if (worker.catalogue_known && worker.offers == offers) {
    return false;
  }
  worker.offers = std::move(offers);
  worker.catalogue_known = true;
  worker.slots = slots_of(worker, slots_unknown_);
  unread_.erase(id);
  update_free(id);
  return true;
}

bool Fleet::sets_are_right() const noexcept {
  WorkerSet up, starting, draining, unread, free;
  std::uint64_t in_flight = 0;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const Worker& worker = workers_[i];
    const WorkerId id(i);
    assign(up, id, worker.health.state() == WorkerState::up);
    assign(starting, id, worker.health.state() == WorkerState::starting);
    assign(draining, id, worker.draining);
    assign(unread, id, !worker.catalogue_known);
    assign(free, id, worker.in_flight < worker.slots);
    in_flight += worker.in_flight;
  }
  return up == up_ && starting == starting_ && draining == draining_ && unread == unread_ &&
         free == free_ && in_flight == in_flight_;
}

}  // namespace lmb::scheduling
