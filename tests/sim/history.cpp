#include "sim/history.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <sstream>

#include "unit/scheduling/printing.hpp"

namespace lmb::history {

using namespace std::chrono_literals;
using scheduling::Effects;

namespace {

/// Longest time from the end of all faults to the end of all requests: deadlines and services are
/// far shorter.
constexpr Duration calm = 20min;

std::ostream& nowhere() {
  static std::ostream none(nullptr);
  return none;
}

}  // namespace

std::uint32_t Ends::sum() const {
  std::uint32_t sum = answered + failed + left;
  for (const auto& [why, count] : refused) {
    sum += count;
  }
  return sum;
}

History::History(std::uint64_t seed, std::ostream* trace)
    : chance_(seed),
      trace_(trace),
      setting_(random_setting(chance_)),
      timeline_(TimePoint{} + 1h),
      peace_at_(now() + setting_.length),
      scheduler_(setting_.options, setting_.specs, now()),
      oracle_(setting_.options, setting_.specs, now()) {}

std::optional<std::string> History::run() {
  log() << setting_.specs.size() << " workers, queue " << setting_.options.queue_length << '\n';
  for (std::uint32_t i = 0; i < setting_.specs.size(); ++i) {
    plan_probe(WorkerId(i));
  }
  plan_arrival();
  plan_fault();
  plan_reload();
  timeline_.at(peace_at_, [this] { make_peace(); });

  // As the dispatcher does before each submit: what time alone has freed goes to those that wait.
  timeline_.before_each([this] {
    if (scheduler_.queued() > 0) {
      tick();
    }
  });
  while (!complaint_ && !timeline_.empty()) {
    timeline_.step();
    ++ends_.events;
    oracle_.compare(scheduler_);
    if (oracle_.complaint()) {
      complain(*oracle_.complaint());
    }
    if (now() > peace_at_ + calm && !at_rest()) {
      complain("it does not come to rest");
    }
    plan_tick();
  }
  if (!complaint_) {
    const std::string unfinished = check_end();
    if (!unfinished.empty()) {
      complain(unfinished);
    }
  }
  return complaint_;
}

std::string History::check_end() const {
  std::ostringstream out;
  if (ends_.sum() != requests_.size()) {
    out << requests_.size() << " requests, but " << ends_.sum() << " ends; ";
  }
  for (const Request& request : requests_) {
    if (request.stage != Stage::ended) {
      out << "request " << request.number << " never ended; ";
    }
  }
  if (oracle_.waiting() != 0 || oracle_.leases() != 0) {
    out << oracle_.waiting() << " wait and " << oracle_.leases() << " run for ever; ";
  }
  if (!oracle_.all_up()) {
    out << "a sound worker did not come up; ";
  }
  return out.str();
}

bool History::at_rest() const {
  return ends_.sum() == requests_.size() && oracle_.waiting() == 0 && oracle_.leases() == 0 &&
         oracle_.all_up();
}

void History::plan_probe(WorkerId worker) {
  const Duration jitter = chance_.between(Duration{}, setting_.probe_interval / 5);
  const std::uint32_t stay = setting_.workers[worker.value()].stay;
  timeline_.after(setting_.probe_interval - jitter, [this, worker, stay] { probe(worker, stay); });
}

void History::probe(WorkerId worker, std::uint32_t stay) {
  const TrueWorker& truth = setting_.workers[worker.value()];
  if (!truth.member || truth.stay != stay) {
    return;
  }
  const bool offers_first = chance_.happens(0.8);
  const auto tell_offers = [&] {
    const Effects effects = scheduler_.set_offers(worker, truth.catalogue, now());
    log() << "worker " << worker << " offers " << truth.catalogue.models.size()
          << " names: " << effects << '\n';
    oracle_.offered(worker, truth.catalogue, effects, now());
    deliver(effects);
  };
  if (truth.alive && offers_first) {
    tell_offers();
  }
  scheduling::ProbeReport report(truth.alive);
  report.timed_out = chance_.happens(0.5);
  report.connected = chance_.happens(0.5);
  report.begun = now() - chance_.between(Duration{}, 2s);
  const Effects effects = scheduler_.observe_probe(worker, report, now());
  log() << "probe of " << worker << (truth.alive ? " right: " : " wrong: ") << effects << '\n';
  oracle_.probed(worker, report, effects, now());
  deliver(effects);
  if (truth.alive && !offers_first) {
    oracle_.compare(scheduler_);
    tell_offers();
  }
  // In peace the probes go on as long as there is anything to wait for.
  if (!peace_ || !at_rest()) {
    plan_probe(worker);
  }
}

void History::plan_fault() {
  timeline_.after(chance_.around(setting_.faults_mean), [this] {
    if (!peace_) {
      fault();
      plan_fault();
    }
  });
}

void History::fault() {
  const WorkerId worker(
      chance_.between(0U, static_cast<std::uint32_t>(setting_.workers.size()) - 1));
  TrueWorker& truth = setting_.workers[worker.value()];
  switch (chance_.between(0U, 4U)) {
    case 0:
    case 1:
      truth.lives += truth.alive ? 1 : 0;
      truth.alive = !truth.alive;
      log() << "worker " << worker << (truth.alive ? " recovers" : " crashes") << '\n';
      break;
    case 2:
      truth.catalogue = random_catalogue(chance_);
      log() << "worker " << worker << " changes its models\n";
      break;
    default: {
      if (!truth.member) {
        break;
      }
      const bool draining = chance_.happens(0.5);
      const Effects effects = scheduler_.set_draining(worker, draining, now());
      log() << "worker " << worker << (draining ? " drains: " : " serves again: ") << effects
            << '\n';
      oracle_.drained(worker, draining, effects, now());
      deliver(effects);
    }
  }
}

void History::make_peace() {
  log() << "peace\n";
  peace_ = true;
  if (members().empty()) {
    join(WorkerId(0), setting_.specs.front());
  }
  for (const WorkerId worker : members()) {
    TrueWorker& truth = setting_.workers[worker.value()];
    truth.alive = true;
    truth.fault_rate = 0;
    truth.catalogue = full_catalogue();
    const Effects effects = scheduler_.set_draining(worker, false, now());
    oracle_.drained(worker, false, effects, now());
    deliver(effects);
  }
  if (setting_.closes) {
    close();
  }
}

void History::close() {
  const Effects effects = scheduler_.close();
  log() << "close: " << effects << '\n';
  oracle_.closed(effects);
  deliver(effects);
}

void History::plan_tick() {
  const auto next = scheduler_.next_tick(now());
  if (!next || (planned_tick_ && *planned_tick_ <= *next)) {
    return;
  }
  planned_tick_ = next;
  // A real timer is late, and one that was made obsolete may still fire.
  const Duration late = chance_.happens(0.3) ? chance_.between(Duration{}, 5ms) : Duration{};
  timeline_.at(*next + late, [this] {
    planned_tick_.reset();
    tick();
  });
}

void History::tick() {
  const Effects effects = scheduler_.tick(now());
  if (!effects.empty()) {
    log() << "tick: " << effects << '\n';
  }
  oracle_.ticked(effects, now());
  deliver(effects);
}

void History::deliver(const Effects& effects) {
  const auto request_of = [this](TicketId ticket) -> Request* {
    const auto found = by_ticket_.find(ticket);
    if (found == by_ticket_.end()) {
      complain("an effect for an unknown ticket");
      return nullptr;
    }
    Request* request = found->second;
    by_ticket_.erase(found);
    request->stage = Stage::told;
    return request;
  };
  for (const scheduling::Grant& grant : effects.grants) {
    if (Request* request = request_of(grant.ticket)) {
      request->slot = grant.slot;
      timeline_.after(chance_.between(Duration{}, setting_.delivery_max),
                      [this, request] { deliver_grant(*request); });
    }
  }
  for (const scheduling::RefusedTicket& refused : effects.refusals) {
    if (Request* request = request_of(refused.ticket)) {
      timeline_.after(chance_.between(Duration{}, setting_.delivery_max),
                      [this, request, why = refused.why] { deliver_refusal(*request, why); });
    }
  }
}

void History::complain(const std::string& what) {
  if (!complaint_) {
    complaint_ = what;
    log() << "COMPLAINT: " << what << '\n';
  }
}

std::ostream& History::log() {
  if (trace_ == nullptr) {
    return nowhere();
  }
  const auto passed = now() - (TimePoint{} + 1h);
  return *trace_ << std::chrono::duration<double>(passed).count() << "s  ";
}

}  // namespace lmb::history
