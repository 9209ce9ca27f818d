#include <algorithm>

#include "sim/oracle.hpp"

// The oracle's view of who may serve whom, and when a request has waited enough.

namespace lmb::history {

using scheduling::Refusal;
using scheduling::WorkerState;

namespace {

bool in(scheduling::WorkerSet set, std::size_t worker) {
  return set.contains(WorkerId(static_cast<std::uint32_t>(worker)));
}

}  // namespace

std::uint32_t Oracle::slots(const Worker& worker) const {
  std::uint32_t count = options_.slots_unknown;
  if (worker.told_slots > 0) {
    count = worker.told_slots;
  }
  if (worker.spec.slots) {
    count = *worker.spec.slots;
  }
  if (worker.spec.max_in_flight && *worker.spec.max_in_flight < count) {
    count = *worker.spec.max_in_flight;
  }
  return count;
}

bool Oracle::may_have(std::size_t worker, std::string_view model) const {
  const Worker& w = workers_[worker];
  return model.empty() || !w.read || w.models.find(model) != w.models.end();
}

bool Oracle::usable(std::size_t worker, const Waiting& request) const {
  const Worker& w = workers_[worker];
  return w.state == WorkerState::up && !w.draining && !in(request.tried, worker);
}

bool Oracle::loaded(std::size_t worker, std::string_view model) const {
  const auto found = workers_[worker].models.find(model);
  return found != workers_[worker].models.end() && found->second;
}

bool Oracle::candidate(std::size_t worker, const Waiting& request) const {
  if (!usable(worker, request) || !may_have(worker, request.model)) {
    return false;
  }
  if (request.model.empty() || loaded(worker, request.model)) {
    return true;
  }
  for (std::size_t other = 0; other < workers_.size(); ++other) {
    if (usable(other, request) && loaded(other, request.model)) {
      return false;
    }
  }
  return true;
}

bool Oracle::eligible(std::size_t worker, const Waiting& request) const {
  return workers_[worker].leases < slots(workers_[worker]) && candidate(worker, request);
}

bool Oracle::servable(const Waiting& request) const {
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    if (eligible(worker, request)) {
      return true;
    }
  }
  return false;
}

bool Oracle::stranded(const Waiting& request) const {
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    const Worker& w = workers_[worker];
    const bool may_start = !startup_over_ && w.state == WorkerState::starting && !w.draining &&
                           !in(request.tried, worker) && may_have(worker, request.model);
    if (may_start || candidate(worker, request)) {
      return false;
    }
  }
  return true;
}

std::optional<Refusal> Oracle::impossible(const Waiting& request) const {
  bool offered = false;
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    if (may_have(worker, request.model)) {
      offered = true;
      if (!in(request.tried, worker)) {
        return std::nullopt;
      }
    }
  }
  return offered ? Refusal::all_tried : Refusal::unknown_model;
}

TimePoint Oracle::due(const Waiting& request) const {
  TimePoint at = request.deadline;
  if (request.stranded_since) {
    at = std::min(at, *request.stranded_since + options_.no_worker_grace);
  }
  return at;
}

}  // namespace lmb::history
