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

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

std::uint32_t Oracle::in_flight(const Worker& worker) {
  std::size_t sum = 0;
  for (const Instance& instance : worker.instances) {
    sum += instance.leases.size();
  }
  return static_cast<std::uint32_t>(sum);
}

std::uint32_t Oracle::slots(const Worker& worker, const Instance& instance) const {
  if (instance.model.kind == scheduling::ModelKind::embedding || !instance.loaded) {
    return 1;
  }
  if (worker.spec.slots) {
    return *worker.spec.slots;
  }
  return instance.offer.parallel > 0 ? instance.offer.parallel : options_.slots_unknown;
}

std::uint32_t Oracle::slots(const Worker& worker) const {
  std::uint32_t count = 0;
  for (const Instance& instance : worker.instances) {
    if (instance.listed && instance.loaded) {
      count += slots(worker, instance);
    }
  }
  if (count == 0) {
    count = 1;
  }
  return std::min(count, worker.spec.max_in_flight.value_or(count));
}

bool Oracle::understands(const Instance& instance, std::string_view model) {
  return instance.model.key == model || contains(instance.model.names, model);
}

bool Oracle::means(const Instance& instance, std::string_view model) {
  return instance.listed && (instance.id == model || understands(instance, model) ||
                             contains(instance.model.spellings, model));
}

bool Oracle::may_have(std::size_t worker, std::string_view model) const {
  const Worker& w = workers_[worker];
  return !w.read || std::any_of(w.instances.begin(), w.instances.end(),
                                [&](const Instance& instance) { return means(instance, model); });
}

bool Oracle::usable(std::size_t worker, const Waiting& request) const {
  const Worker& w = workers_[worker];
  return w.state == WorkerState::up && w.read && !w.draining && !in(request.tried, worker);
}

bool Oracle::candidate(std::size_t worker, const Waiting& request) const {
  return usable(worker, request) && may_have(worker, request.model);
}

bool Oracle::loaded_somewhere(const Waiting& request) const {
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    for (const Instance& instance : workers_[worker].instances) {
      if (usable(worker, request) && instance.loaded && means(instance, request.model)) {
        return true;
      }
    }
  }
  return false;
}

bool Oracle::eligible(std::size_t worker, const Instance& instance, const Waiting& request) const {
  const Worker& w = workers_[worker];
  return usable(worker, request) && means(instance, request.model) &&
         instance.leases.size() < slots(w, instance) &&
         (!w.spec.max_in_flight || in_flight(w) < *w.spec.max_in_flight) &&
         (instance.loaded || !loaded_somewhere(request));
}

bool Oracle::eligible(std::size_t worker, const Waiting& request) const {
  const auto& instances = workers_[worker].instances;
  return std::any_of(instances.begin(), instances.end(),
                     [&](const Instance& instance) { return eligible(worker, instance, request); });
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
    const bool not_yet =
        w.state == WorkerState::starting || (w.state == WorkerState::up && !w.read);
    const bool may_start = !startup_over_ && not_yet && !w.draining && !in(request.tried, worker) &&
                           may_have(worker, request.model);
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
