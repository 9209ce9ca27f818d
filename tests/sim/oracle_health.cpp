#include <algorithm>
#include <sstream>

#include "sim/oracle.hpp"
#include "unit/scheduling/printing.hpp"

// The oracle's view of health: what probes and requests say of a worker.

namespace lmb::history {

using scheduling::Effects;
using scheduling::Outcome;
using scheduling::Report;
using scheduling::WorkerState;

void Oracle::observe(Worker& w, bool good) {
  w.good_in_a_row = good ? w.good_in_a_row + 1 : 0;
  w.bad_in_a_row = good ? 0 : w.bad_in_a_row + 1;
  const WorkerState from = w.state;
  const std::uint32_t enough = from == WorkerState::starting ? 1 : options_.health.successes_up;
  if (from != WorkerState::up && w.good_in_a_row >= enough) {
    w.state = WorkerState::up;
  } else if (from != WorkerState::down && w.bad_in_a_row >= options_.health.failures_down) {
    w.state = WorkerState::down;
  }
  if (w.state != from) {
    w.good_in_a_row = w.bad_in_a_row = 0;
  }
  if (from == WorkerState::down && w.state == WorkerState::up) {
    w.slow_since = now_;
  }
}

void Oracle::succeed(Worker& w) {
  if (w.broken) {
    w.slow_since = now_;
  }
  w.faults = w.openings = 0;
  w.broken = false;
  w.trial_since.reset();
}

void Oracle::fault(Worker& w) {
  if (w.broken && !w.trial_since) {
    w.last_fault = now_;
    return;  // Of a request from before it opened.
  }
  w.last_fault = now_;
  ++w.faults;
  if (w.broken || w.faults >= options_.health.breaker_faults) {
    w.faults = 0;
    ++w.openings;
    w.broken = true;
    w.trial_since.reset();
    w.opened = now_;
    w.until = TimePoint::max();
    w.until_known = false;
  }
}

/// The jitter is the scheduler's to choose, within a fifth.
void Oracle::learn_breaker(Worker& w, const scheduling::WorkerSnapshot& said, std::size_t number) {
  if (said.breaker_until.has_value() != w.broken) {
    std::ostringstream out;
    out << "the breaker of worker " << number << " is " << (w.broken ? "not closed" : "closed");
    complain(out.str());
    return;
  }
  if (!w.broken || w.until_known || w.trial_since) {
    return;
  }
  Duration middle = options_.health.breaker_open;
  for (std::uint32_t i = 1; i < w.openings; ++i) {
    middle = std::min(middle * 2, options_.health.breaker_open_max);
  }
  const Duration wait = *said.breaker_until - w.opened;
  if (wait < middle * 79 / 100 || wait > middle * 121 / 100) {
    complain("a breaker is open for a wrong time");
  }
  w.until = *said.breaker_until;
  w.until_known = true;
}

void Oracle::expect_transition(std::size_t worker, const Effects& effects) {
  Worker& w = workers_[worker];
  std::vector<scheduling::Transition> expected;
  if (state(w) != w.told) {
    expected.push_back({WorkerId(static_cast<std::uint32_t>(worker)), w.told, state(w)});
    w.told = state(w);
  }
  if (effects.transitions != expected) {
    std::ostringstream out;
    out << "wrong transitions: " << effects;
    complain(out.str());
  }
}

void Oracle::fail_load(Worker& w, const std::string& model, TimePoint at) {
  w.loads.erase(model);
  w.unseen.erase(model);
  auto& [until, times] = w.failed[model];
  Duration wait = options_.models.unloadable;
  for (std::uint32_t i = 0; i < times; ++i) {
    wait = std::min(wait * 2, options_.models.unloadable_max);
  }
  until = at + wait;
  ++times;
}

void Oracle::end_load(Worker& w, const Lease& lease, const scheduling::Report& report) {
  const Outcome outcome = report.outcome;
  const auto load = w.loads.find(lease.cold_model);
  if (lease.foreign || lease.cold_model.empty() || load == w.loads.end()) {
    return;
  }
  const bool fault = outcome == Outcome::worker_fault;
  const bool refused = (outcome == Outcome::answered && !report.by_model) ||
                       (outcome == Outcome::model_unavailable && !report.load_tried);
  if (refused || (!report.sent && (fault || outcome == Outcome::abandoned))) {
    w.loads.erase(load);
  } else if (outcome == Outcome::answered) {
    learn_load(w, lease.cold_model);
    w.unseen[lease.cold_model] =
        std::min(w.load_began[lease.cold_model] + options_.models.load_timeout,
                 now_ + std::chrono::seconds(10));
    w.loads.erase(load);
    w.failed.erase(lease.cold_model);
  } else if (outcome == Outcome::abandoned) {
    const auto learned = w.load_learned.find(lease.cold_model);
    const Duration usual =
        learned == w.load_learned.end() ? options_.models.load_time : learned->second;
    load->second.orphan = true;
    load->second.deadline = std::min(load->second.deadline, now_ + usual);
  } else {
    fail_load(w, lease.cold_model, now_);
  }
}

void Oracle::saw_first_token(const scheduling::Slot& slot, const Effects& effects, TimePoint now) {
  pass(now);
  Worker& w = workers_[slot.worker.value()];
  bool foreign = false;
  for (Instance& instance : w.instances) {
    const auto lease = instance.leases.find(slot.lease);
    if (lease == instance.leases.end()) {
      continue;
    }
    lease->second.first_token = true;
    foreign = lease->second.foreign;
    end_load(w, lease->second, scheduling::Report(Outcome::answered));
    std::erase_if(instance.settling, [&](const Settling& settling) {
      return settling.granted <= lease->second.granted;
    });
  }
  if (!foreign) {
    w.last_delivery = std::max(w.last_delivery, now);
    succeed(w);
  }
  expect_transition(slot.worker.value(), effects);
  apply(effects, now);
}

/// What the end of a request tells of its worker.
void Oracle::learn(Worker& w, const Lease& lease, const Report& report) {
  bool trial_over = lease.trial;
  if (report.outcome == Outcome::answered || report.outcome == Outcome::model_unavailable) {
    w.last_delivery = std::max(w.last_delivery, now_);
    succeed(w);
    trial_over = false;
  } else if (report.outcome == Outcome::worker_fault) {
    const auto known = std::find_if(poisons_.rbegin(), poisons_.rend(),
                                    [&](const auto& each) { return each.first == report.prompt; });
    const bool repeated = report.sent && report.prompt != 0 && known != poisons_.rend() &&
                          now_ - known->second < std::chrono::minutes(5);
    if (!repeated) {
      if (report.sent && report.prompt != 0) {
        poisons_.emplace_back(report.prompt, now_);
        if (poisons_.size() > 64) {
          poisons_.pop_front();
        }
      }
      fault(w);
      trial_over = false;
    }
  }
  if (trial_over) {
    w.trial_since.reset();
  }
}

void Oracle::finished(const scheduling::Slot& slot, const Report& report, const Effects& effects,
                      TimePoint now) {
  pass(now);
  const std::size_t worker = slot.worker.value();
  Worker& w = workers_[worker];
  Lease lease;
  std::string model;
  std::string id;
  for (Instance& instance : w.instances) {
    const auto found = instance.leases.find(slot.lease);
    if (found == instance.leases.end()) {
      continue;
    }
    lease = found->second;
    model = instance.model.key;
    id = instance.id;
    // History's reports tell nothing that would teach a worker's pace: a slow one's counts.
    Duration wait = options_.abandon_settle_max;
    if (lease.prompt_tokens > 0 && lease.cold_model.empty()) {
      const auto tokens = static_cast<std::int64_t>(lease.prompt_tokens);
      const Duration prompt = std::chrono::milliseconds(1000 + 20 * tokens);
      wait = std::min(wait, prompt * static_cast<std::int64_t>(occupied(instance)));
    }
    instance.leases.erase(found);
    if (report.outcome == Outcome::abandoned && report.sent && !lease.first_token &&
        options_.abandon_settle_max > Duration::zero()) {
      instance.settling.push_back({lease.granted, now + wait});
    }
  }
  std::erase_if(w.instances, [](const Instance& instance) {
    return !instance.listed && occupied(instance) == 0;
  });
  end_load(w, lease, report);
  if (!lease.foreign) {
    learn(w, lease, report);
    const bool missing = report.outcome == Outcome::model_unavailable && report.load_tried;
    if (missing && lease.cold_model.empty() && strike(w, model, id)) {
      due_.doubted.push_back(slot.worker);
    }
  }
  expect_transition(worker, effects);
  apply(effects, now);
}

void Oracle::probed(WorkerId worker, const scheduling::ProbeReport& probe, const Effects& effects,
                    TimePoint now) {
  pass(now);
  Worker& w = workers_[worker.value()];
  const bool watched = std::any_of(watched_.begin(), watched_.end(),
                                   [&](const auto& each) { return each.second.first == worker; });
  const bool loads = probe.connected && (!w.loads.empty() || watched);
  const bool lively = probe.timed_out && (w.last_delivery >= probe.begun || loads);
  if (probe.alive || !lively) {
    observe(w, probe.alive);
  }
  if (probe.alive && !w.broken && now - w.last_fault >= options_.health.breaker_open) {
    w.faults = 0;
  }
  expect_transition(worker.value(), effects);
  apply(effects, now);
}

}  // namespace lmb::history
