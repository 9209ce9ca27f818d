#include "sim/oracle.hpp"

#include <algorithm>
#include <sstream>
#include <variant>

#include "unit/scheduling/printing.hpp"

namespace lmb::history {

using scheduling::Demand;
using scheduling::Effects;
using scheduling::Outcome;
using scheduling::Refusal;
using scheduling::Submitted;
using scheduling::WorkerState;

namespace {

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace

Oracle::Oracle(const scheduling::SchedulerOptions& options,
               const std::vector<scheduling::WorkerSpec>& fleet, TimePoint now)
    : options_(options), startup_end_(now + options.startup_grace) {
  for (const scheduling::WorkerSpec& spec : fleet) {
    workers_.emplace_back().spec = spec;
  }
  pass(now);
}

void Oracle::complain(const std::string& what) {
  if (!complaint_) {
    complaint_ = what;
  }
}

std::uint32_t Oracle::leases() const {
  std::uint32_t sum = 0;
  for (const Worker& worker : workers_) {
    sum += in_flight(worker);
  }
  return sum;
}

bool Oracle::all_up() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const Worker& worker) {
    return !worker.member || worker.state == WorkerState::up;
  });
}

void Oracle::pass(TimePoint now) {
  now_ = now;
  for (Worker& worker : workers_) {
    for (Instance& instance : worker.instances) {
      std::erase_if(instance.settling,
                    [now](const Settling& settling) { return settling.until <= now; });
    }
    std::erase_if(worker.instances, [](const Instance& instance) {
      return !instance.listed && occupied(instance) == 0;
    });
  }
  for (Worker& worker : workers_) {
    std::erase_if(worker.unseen, [now](const auto& each) { return each.second <= now; });
    const auto running = worker.loads;
    for (const auto& [model, load] : running) {
      if (now < load.deadline) {
        continue;
      }
      if (load.orphan) {
        worker.loads.erase(model);
      } else {
        note_overdue(worker, model);
        fail_load(worker, model, load.deadline);
      }
    }
  }
  end_watched();
  if (!startup_over_ && now >= startup_end_) {
    startup_over_ = true;
    restrand(startup_end_);
  }
}

void Oracle::restrand(TimePoint now) {
  for (Waiting& request : waiting_) {
    if (!stranded(request)) {
      request.stranded_since.reset();
    } else if (!request.stranded_since) {
      request.stranded_since = now;
    }
  }
}

void Oracle::expect_no_transition(const Effects& effects) {
  if (!effects.transitions.empty()) {
    complain(text("a transition without an observation: ", effects));
  }
}

void Oracle::apply_refusal(const scheduling::RefusedTicket& refused, TimePoint now) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& request) {
    return request.ticket == refused.ticket;
  });
  if (found == waiting_.end()) {
    complain(text("a refusal to one that does not wait: ", refused));
    return;
  }
  bool right = false;
  switch (refused.why) {
    case Refusal::unknown_model:
    case Refusal::all_tried:
      right = impossible(*found) == refused.why;
      break;
    case Refusal::deadline:
      right = found->deadline <= now && !servable(*found);
      break;
    case Refusal::no_worker:
      right = found->stranded_since && *found->stranded_since + options_.no_worker_grace <= now;
      break;
    case Refusal::load_failed:
      right = load_failed(*found);
      break;
    case Refusal::queue_full:
    case Refusal::closed:
      break;
  }
  if (!right) {
    complain(text("no reason for: ", refused));
  }
  waiting_.erase(found);
}

void Oracle::apply(const Effects& effects, TimePoint now) {
  restrand(now);
  const bool same_overdue = std::is_permutation(effects.overdue.begin(), effects.overdue.end(),
                                                due_.overdue.begin(), due_.overdue.end());
  if (!same_overdue || effects.doubted != due_.doubted) {
    complain("what is told of loads that take too long, or of lists that are wrong, is wrong");
  }
  due_.overdue.clear();
  due_.doubted.clear();
  for (const scheduling::Grant& granted : effects.grants) {
    apply_grant(granted);
  }
  for (const scheduling::RefusedTicket& refused : effects.refusals) {
    apply_refusal(refused, now);
  }
  for (const Waiting& request : waiting_) {
    if (due(request) <= now) {
      complain(text(request.ticket, " still waits after its time"));
    }
    if (impossible(request) || load_failed(request)) {
      complain(text(request.ticket, " waits for what nobody can give"));
    }
  }
}

void Oracle::submitted(const Demand& demand, const Submitted& result, TimePoint now) {
  pass(now);
  Waiting request{{}, std::string(demand.model), demand.tried, demand.deadline,
                  {}, demand.prompt_tokens,      demand.stream};
  const bool no_hope = stranded(request);
  std::optional<Refusal> refusal;
  if (closed_) {
    refusal = Refusal::closed;
  } else if (const auto why = impossible(request)) {
    refusal = why;
  } else if (load_failed(request)) {
    refusal = Refusal::load_failed;
  } else if (const auto* slot = std::get_if<scheduling::Slot>(&result); slot && slot->cold) {
    // Judged by grant().
  } else if (!servable(request)) {
    if (demand.deadline <= now) {
      refusal = Refusal::deadline;
    } else if (no_hope && options_.no_worker_grace <= Duration::zero()) {
      refusal = Refusal::no_worker;
    } else if (waiting_.size() >= options_.queue_length) {
      refusal = Refusal::queue_full;
    }
  }
  if (refusal || std::holds_alternative<Refusal>(result)) {
    const Refusal* told = std::get_if<Refusal>(&result);
    if (!refusal || told == nullptr || *told != *refusal) {
      complain("a wrong refusal, or none where one was due");
    }
  } else if (const auto* slot = std::get_if<scheduling::Slot>(&result)) {
    grant(request, *slot);
  } else if (servable(request)) {
    complain("a request waits though a worker is free for it");
  } else {
    request.ticket = std::get<TicketId>(result);
    if (request.ticket <= last_ticket_) {
      complain(text("ticket ", request.ticket, " is not new"));
    }
    last_ticket_ = request.ticket;
    if (no_hope) {
      request.stranded_since = now;
    }
    waiting_.push_back(request);
  }
}

void Oracle::withdrew(TicketId ticket, bool result) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& request) { return request.ticket == ticket; });
  if (result != (found != waiting_.end())) {
    complain(text("withdraw of ", ticket, " told ", result));
  }
  if (found != waiting_.end()) {
    waiting_.erase(found);
  }
}

void Oracle::drained(WorkerId worker, bool draining, const Effects& effects, TimePoint now) {
  pass(now);
  Worker& w = workers_[worker.value()];
  if (w.draining && !draining) {
    w.slow_since = now;
  }
  w.draining = draining;
  expect_no_transition(effects);
  apply(effects, now);
}

void Oracle::ticked(const Effects& effects, TimePoint now) {
  pass(now);
  expect_no_transition(effects);
  apply(effects, now);
}

void Oracle::closed(const Effects& effects) {
  closed_ = true;
  std::vector<scheduling::RefusedTicket> expected;
  for (const Waiting& request : waiting_) {
    expected.push_back({request.ticket, Refusal::closed});
  }
  if (!effects.grants.empty() || !effects.transitions.empty() || effects.refusals != expected) {
    complain(text("wrong effects of close: ", effects));
  }
  waiting_.clear();
}

void Oracle::compare(const Worker& mine, const scheduling::WorkerSnapshot& said) {
  const WorkerId id = said.id;
  if (said.in_flight != in_flight(mine)) {
    complain(
        text("worker ", id, " has ", in_flight(mine), " leases, in_flight says ", said.in_flight));
  }
  for (const scheduling::InstanceSnapshot& instance : said.instances) {
    const auto own =
        std::find_if(mine.instances.begin(), mine.instances.end(), [&](const Instance& each) {
          return each.id == instance.id && each.model.key == instance.model;
        });
    if (own == mine.instances.end() || own->leases.size() != instance.in_flight ||
        own->settling.size() != instance.settling || own->listed != instance.listed ||
        own->loaded != instance.loaded || (own->listed && slots(mine, *own) != instance.slots)) {
      complain(text("instance ", instance.id, " of worker ", id, " is told wrongly"));
    }
  }
  if (said.instances.size() != mine.instances.size()) {
    complain(text("worker ", id, " tells ", said.instances.size(), " instances"));
  }
  const bool finishes = mine.draining || !mine.member;
  const WorkerState shown =
      finishes && mine.state != WorkerState::down ? WorkerState::draining : state(mine);
  if (said.state != shown || said.draining != finishes || said.retired == mine.member ||
      said.catalogue_known != mine.read || said.slots != (mine.member ? slots(mine) : 0) ||
      (mine.loads.empty() ? said.loading != "" : !mine.loads.contains(said.loading)) ||
      said.grants_total != mine.grants || said.name != mine.spec.name) {
    complain(text("the snapshot of worker ", id, " is wrong"));
  }
}

void Oracle::compare(const scheduling::Scheduler& scheduler) {
  const scheduling::FleetSnapshot snapshot = scheduler.snapshot(now_);
  const scheduling::WorkerSet told_vacant = scheduler.vacant();
  auto said = snapshot.workers.begin();
  bool any_open = false;
  for (std::size_t i = 0; i < scheduling::fleet_size_max; ++i) {
    const WorkerId id(static_cast<std::uint32_t>(i));
    const bool vacant = i >= workers_.size() || (!workers_[i].member && occupied(workers_[i]) == 0);
    if (told_vacant.contains(id) != vacant) {
      complain(text("whether place ", i, " is vacant is told wrongly"));
    }
    if (vacant) {
      continue;
    }
    Worker& mine = workers_[i];
    if (said == snapshot.workers.end() || said->id != id) {
      complain(text("the snapshot does not tell of worker ", i));
      return;
    }
    any_open =
        any_open || (mine.member && mine.state == WorkerState::up && mine.read && !mine.draining);
    learn_breaker(mine, *said, i);
    compare(mine, *said);
    ++said;
  }
  if (said != snapshot.workers.end()) {
    complain(text("the snapshot tells of worker ", said->id));
  }
  if (scheduler.any_up() != any_open) {
    complain("any_up is wrong");
  }
  if (snapshot.queued != waiting_.size()) {
    complain(text(snapshot.queued, " queued, but ", waiting_.size(), " wait"));
  }
  compare_queue(scheduler);
}

void Oracle::compare_queue(const scheduling::Scheduler& scheduler) {
  if (scheduler.queued() != waiting_.size()) {
    complain(text(scheduler.queued(), " queued, but ", waiting_.size(), " wait"));
  }
  if (waiting_.size() > options_.queue_length) {
    complain("the queue is longer than its limit");
  }
  std::optional<TimePoint> next;
  for (const Waiting& request : waiting_) {
    if (servable(request)) {
      complain(text(request.ticket, " waits though a worker is free for it"));
    }
    const TimePoint at = startup_over_ ? due(request) : std::min(due(request), startup_end_);
    next = next ? std::min(*next, at) : at;
  }
  const auto said_next = scheduler.next_tick(now_);
  if (next.has_value() != said_next.has_value() || (next && *said_next > *next)) {
    complain("next_tick is too late");
  }
}

}  // namespace lmb::history
