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

/// Up to the next eighth of a power of two.
std::uint64_t scheduling_step(std::uint64_t tokens) {
  if (tokens == 0) {
    return 0;
  }
  std::uint64_t power = 1024;
  if (tokens <= power) {
    return power;
  }
  while (power * 2 < tokens) {
    power *= 2;
  }
  std::uint64_t step = power;
  while (step < tokens) {
    step += power / 8;
  }
  return step;
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

std::size_t Oracle::occupied(const Instance& instance) {
  return instance.leases.size() + instance.settling.size();
}

std::uint32_t Oracle::occupied(const Worker& worker) {
  std::size_t sum = 0;
  for (const Instance& instance : worker.instances) {
    sum += occupied(instance);
  }
  return static_cast<std::uint32_t>(sum);
}

bool Oracle::admitted(const Worker& worker) const {
  if (!worker.broken) {
    return true;
  }
  return worker.trial_since ? now_ >= *worker.trial_since + options_.health.probation_max
                            : now_ >= worker.until;
}

bool Oracle::has_room(const Worker& worker) const {
  const std::uint32_t running = occupied(worker);
  if (worker.spec.max_in_flight && running >= *worker.spec.max_in_flight) {
    return false;
  }
  const std::uint32_t full = slots(worker);
  if (!worker.slow_since || running == 0 || full <= 1) {
    return true;
  }
  const Duration window = options_.health.slow_start;
  const Duration wait = running >= full ? window : window / (full - 1) * running;
  return now_ >= *worker.slow_since + wait;
}

bool Oracle::fits(const Instance& instance, const Waiting& request) {
  return instance.offer.context_length == 0 ||
         scheduling_step(request.prompt_tokens) <= instance.offer.context_length;
}

WorkerState Oracle::state(const Worker& worker) {
  if (worker.state != WorkerState::up) {
    return worker.state;
  }
  const bool doubt = worker.bad_in_a_row > 0 || worker.faults > 0 || worker.broken;
  return doubt ? WorkerState::suspect : WorkerState::up;
}

/// Suspect, and not the one to be tried.
bool Oracle::shunned(const Worker& worker) const {
  return state(worker) == WorkerState::suspect && !(worker.broken && admitted(worker));
}

/// Breakers count unless they exclude everyone who might serve; a context counts where one is long
/// enough.
Oracle::View Oracle::view(const Waiting& request) const {
  View view;
  std::vector<bool> all;
  bool any_admitted = false;
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    all.push_back(candidate(worker, request));
    view.allowed.push_back(all.back() && admitted(workers_[worker]));
    any_admitted = any_admitted || view.allowed.back();
  }
  if (!any_admitted) {
    view.allowed = all;
  }
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    for (const Instance& instance : workers_[worker].instances) {
      view.fits = view.fits || (view.allowed[worker] && instance.loaded &&
                                means(instance, request.model) && fits(instance, request));
    }
  }
  return view;
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
  if (!w.member) {
    return false;
  }
  return !w.read || std::any_of(w.instances.begin(), w.instances.end(),
                                [&](const Instance& instance) { return means(instance, model); });
}

bool Oracle::usable(std::size_t worker, const Waiting& request) const {
  const Worker& w = workers_[worker];
  return w.member && w.state == WorkerState::up && w.read && !w.draining &&
         !in(request.tried, worker);
}

bool Oracle::candidate(std::size_t worker, const Waiting& request) const {
  return usable(worker, request) && may_have(worker, request.model);
}

bool Oracle::eligible(std::size_t worker, const Instance& instance, const Waiting& request,
                      const View& seen) const {
  const Worker& w = workers_[worker];
  if (!seen.allowed[worker] || !means(instance, request.model) || !has_room(w) ||
      occupied(instance) >= slots(w, instance)) {
    return false;
  }
  // When a load begins is told by the scenarios; here only that none begins that must not.
  if (!instance.loaded || held(w, instance)) {
    return false;
  }
  return fits(instance, request) || !seen.fits;
}

/// A load evicts the worker's other models.
bool Oracle::held(const Worker& worker, const Instance& instance) {
  const auto other = [&](const auto& each) { return each.first != instance.model.key; };
  return std::any_of(worker.loads.begin(), worker.loads.end(), other) ||
         std::any_of(worker.unseen.begin(), worker.unseen.end(), other);
}

bool Oracle::may_load(std::size_t worker, const Instance& instance, const Waiting& request) const {
  const Worker& w = workers_[worker];
  const auto failed = w.failed.find(instance.model.key);
  for (const Instance& other : w.instances) {
    if (other.model.key != instance.model.key && occupied(other) > 0) {
      return false;
    }
  }
  return !instance.loaded && view(request).allowed[worker] && means(instance, request.model) &&
         has_room(w) && occupied(instance) == 0 && w.loads.empty() &&
         (failed == w.failed.end() || now_ >= failed->second.first);
}

bool Oracle::load_failed(const Waiting& request) const {
  bool any = false;
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    for (const Instance& instance : workers_[worker].instances) {
      if (!candidate(worker, request) || !means(instance, request.model)) {
        continue;
      }
      any = true;
      const auto failed = workers_[worker].failed.find(instance.model.key);
      if (instance.loaded || failed == workers_[worker].failed.end() ||
          now_ >= failed->second.first) {
        return false;
      }
    }
  }
  return any;
}

bool Oracle::eligible(std::size_t worker, const Waiting& request, const View& seen) const {
  const auto& instances = workers_[worker].instances;
  return std::any_of(instances.begin(), instances.end(), [&](const Instance& instance) {
    return eligible(worker, instance, request, seen);
  });
}

bool Oracle::servable(const Waiting& request) const {
  const View seen = view(request);
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    if (eligible(worker, request, seen)) {
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
    const bool may_start = w.member && !startup_over_ && not_yet && !w.draining &&
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
