#include <algorithm>

#include "sim/oracle.hpp"

// Workers that join, leave and change in the oracle's picture.

namespace lmb::history {

using scheduling::Effects;

Oracle::Worker Oracle::without_knowledge(const Worker& worker) {
  Worker fresh;
  fresh.spec = worker.spec;
  fresh.grants = worker.grants;
  for (const Instance& instance : worker.instances) {
    if (occupied(instance) > 0) {
      fresh.instances.push_back(instance);
      fresh.instances.back().listed = false;
    }
  }
  for (Instance& instance : fresh.instances) {
    for (auto& [id, lease] : instance.leases) {
      lease.foreign = true;
    }
  }
  return fresh;
}

void Oracle::joined(WorkerId place, const scheduling::WorkerSpec& spec, const Effects& effects,
                    TimePoint now) {
  pass(now);
  while (workers_.size() <= place.value()) {
    workers_.emplace_back().member = false;
  }
  Worker& w = workers_[place.value()];
  const bool vacant = occupied(w) == 0;
  if (w.member || (!vacant && w.spec.name != spec.name)) {
    complain("the history puts a worker where one is");
  }
  w = vacant ? Worker{} : without_knowledge(w);
  w.spec = spec;
  expect_no_transition(effects);
  apply(effects, now);
}

void Oracle::left(WorkerId worker, const Effects& effects, TimePoint now) {
  pass(now);
  keep_deadlines(worker);
  Worker& w = workers_[worker.value()];
  w = without_knowledge(w);
  w.member = false;
  expect_no_transition(effects);
  apply(effects, now);
}

void Oracle::changed(WorkerId worker, const scheduling::WorkerSpec& spec, const Effects& effects,
                     TimePoint now) {
  pass(now);
  workers_[worker.value()].spec = spec;
  expect_no_transition(effects);
  apply(effects, now);
}

}  // namespace lmb::history
