#include <algorithm>
#include <ostream>

#include "sim/history.hpp"
#include "unit/scheduling/printing.hpp"

// Workers that join, leave and change while requests wait and run.

namespace lmb::history {

using scheduling::Effects;
using scheduling::WorkerSet;
using scheduling::WorkerSpec;

void History::plan_reload() {
  if (setting_.reloads_mean <= Duration::zero()) {
    return;
  }
  timeline_.after(chance_.around(setting_.reloads_mean), [this] {
    if (!peace_) {
      reload();
      plan_reload();
    }
  });
}

std::vector<WorkerId> History::members() const {
  std::vector<WorkerId> members;
  for (std::uint32_t i = 0; i < setting_.workers.size(); ++i) {
    if (setting_.workers[i].member) {
      members.emplace_back(i);
    }
  }
  return members;
}

void History::reload() {
  const auto there = members();
  const auto one_of = [this](const std::vector<WorkerId>& list) {
    return list[chance_.between(0U, static_cast<std::uint32_t>(list.size()) - 1)];
  };
  // The oracle looks at everything for everyone: fleets that grow would be slow.
  constexpr std::size_t large = 6;
  const std::uint32_t what =
      there.size() >= large ? chance_.between(0U, 1U) : chance_.between(0U, 3U);
  if (what == 0 && !there.empty()) {
    leave(one_of(there));
  } else if (what == 1 && !there.empty()) {
    change(one_of(there));
  } else {
    // Whoever left may come back, to its own place while it still runs something there.
    std::vector<WorkerId> busy;
    std::vector<WorkerId> places;
    const WorkerSet vacant = scheduler_.vacant();
    for (std::uint32_t i = 0; i < setting_.workers.size(); ++i) {
      if (!setting_.workers[i].member) {
        (vacant.contains(WorkerId(i)) ? places : busy).emplace_back(i);
      }
    }
    if (places.empty() || chance_.happens(0.1)) {
      places.emplace_back(static_cast<std::uint32_t>(setting_.workers.size()));
    }
    const bool returns = !busy.empty() && chance_.happens(0.7);
    const WorkerId place = one_of(returns ? busy : places);
    if (place.value() >= scheduling::fleet_size_max) {
      return;
    }
    const bool new_name = vacant.contains(place) && chance_.happens(0.5);
    const auto number = place.value() + (new_name ? 1000 + ends_.reloads : 0);
    WorkerSpec spec = random_spec(chance_, number);
    if (!vacant.contains(place)) {
      spec.name = setting_.specs[place.value()].name;
      ++ends_.returns;
    }
    join(place, spec);
  }
}

void History::join(WorkerId place, const WorkerSpec& spec) {
  ++ends_.reloads;
  if (place.value() == setting_.workers.size()) {
    setting_.workers.emplace_back();
    setting_.specs.emplace_back();
  }
  setting_.specs[place.value()] = spec;
  TrueWorker& truth = setting_.workers[place.value()];
  truth.member = true;
  ++truth.stay;
  // The machine of another name is another machine.
  if (scheduler_.vacant().contains(place)) {
    truth.alive = chance_.happens(0.8);
    truth.service_mean = setting_.workers.front().service_mean;
    truth.catalogue = random_catalogue(chance_);
  }
  const Effects effects = scheduler_.add_worker(place, spec, now());
  log() << "worker " << place << " joins as " << spec.name << ": " << effects << '\n';
  oracle_.joined(place, spec, effects, now());
  deliver(effects);
  plan_probe(place);
}

void History::leave(WorkerId worker) {
  ++ends_.reloads;
  setting_.workers[worker.value()].member = false;
  const Effects effects = scheduler_.retire_worker(worker, now());
  log() << "worker " << worker << " leaves: " << effects << '\n';
  oracle_.left(worker, effects, now());
  deliver(effects);
  ends_.orphans += static_cast<std::uint32_t>(
      std::count_if(requests_.begin(), requests_.end(), [&](const Request& request) {
        return request.stage == Stage::running && request.slot.worker == worker;
      }));
}

void History::change(WorkerId worker) {
  ++ends_.reloads;
  const std::string name = setting_.specs[worker.value()].name;
  WorkerSpec spec = random_spec(chance_, 0);
  spec.name = name;
  setting_.specs[worker.value()] = spec;
  const Effects effects = scheduler_.change_worker(worker, spec, now());
  log() << "worker " << worker << " changes: " << effects << '\n';
  oracle_.changed(worker, spec, effects, now());
  deliver(effects);
}

}  // namespace lmb::history
