#include "load_table.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace lmb::scheduling {
namespace {

/// How long an answer proves that the model is there: the catalogue is looked at each second.
constexpr Duration looks = std::chrono::seconds(10);

}  // namespace

const LoadTable::Load* LoadTable::find(WorkerId worker, std::string_view model) const noexcept {
  const auto found = std::find_if(loads_.begin(), loads_.end(), [&](const Load& load) {
    return load.worker == worker && load.model == model;
  });
  return found == loads_.end() ? nullptr : &*found;
}

LoadTable::Load& LoadTable::entry(WorkerId worker, std::string_view model) {
  for (Load& load : loads_) {
    if (load.worker == worker && load.model == model) {
      return load;
    }
  }
  Load& load = loads_.emplace_back();
  load.worker = worker;
  load.model = model;
  return load;
}

void LoadTable::begin(WorkerId worker, std::string_view model, TimePoint now) {
  Load& load = entry(worker, model);
  load.since = now;
  load.deadline = add_saturated(now, options_.load_timeout);
  // After a load that the catalogue has not shown yet this one finds the model loaded.
  load.learns = !load.unseen_until;
  if (load.learns) {
    load.unseen_until = load.deadline;
  }
  load.orphan = false;
}

void LoadTable::seen(WorkerId worker, std::string_view model, TimePoint now) {
  Load& load = entry(worker, model);
  learn(load, now);
  succeed(load);
  load.unseen_until.reset();
}

void LoadTable::answered(WorkerId worker, std::string_view model, TimePoint now) {
  Load& load = entry(worker, model);
  learn(load, now);
  load.unseen_until = std::min(load.deadline, add_saturated(now, looks));
  succeed(load);
}

void LoadTable::learn(Load& load, TimePoint now) {
  if (load.since && load.learns) {
    const Duration took = now - *load.since;
    load.learned = load.learned ? (*load.learned * 3 + took) / 4 : took;
  }
}

void LoadTable::succeed(Load& load) {
  load.since.reset();
  load.failures = 0;
  load.unloadable_until.reset();
  load.error.clear();
}

void LoadTable::failed(WorkerId worker, std::string_view model, std::string why, TimePoint now) {
  fail(entry(worker, model), std::move(why), now);
}

void LoadTable::fail(Load& load, std::string why, TimePoint now) const {
  load.since.reset();
  load.unseen_until.reset();
  load.error = std::move(why);
  Duration wait = options_.unloadable;
  for (std::uint32_t i = 0; i < load.failures && wait < options_.unloadable_max; ++i) {
    wait *= 2;
  }
  ++load.failures;
  load.unloadable_until = add_saturated(now, std::min(wait, options_.unloadable_max));
}

void LoadTable::withdrawn(WorkerId worker, std::string_view model) {
  Load& load = entry(worker, model);
  load.since.reset();
  // An earlier one may still have to be seen.
  if (load.learns) {
    load.unseen_until.reset();
  }
}

void LoadTable::orphaned(WorkerId worker, std::string_view model, Duration usual, TimePoint now) {
  Load& load = entry(worker, model);
  if (load.since) {
    load.orphan = true;
    load.deadline = std::min(load.deadline, add_saturated(now, usual));
    if (load.learns) {
      load.unseen_until = load.deadline;
    }
  }
}

void LoadTable::forget(WorkerId worker) {
  std::erase_if(loads_, [worker](const Load& load) { return load.worker == worker; });
}

std::vector<LoadTable::Pair> LoadTable::expire(TimePoint now) {
  std::vector<Pair> overdue;
  for (Load& load : loads_) {
    if (load.unseen_until && now >= *load.unseen_until) {
      load.unseen_until.reset();
    }
    if (!load.since || now < load.deadline) {
      continue;
    }
    if (load.orphan) {
      load.since.reset();
    } else {
      fail(load, "it took longer than models.load_timeout", load.deadline);
      overdue.push_back({load.worker, load.model});
    }
  }
  return overdue;
}

bool LoadTable::loading(WorkerId worker, std::string_view model) const noexcept {
  const Load* load = find(worker, model);
  return load != nullptr && load->since.has_value();
}

bool LoadTable::coming(WorkerId worker, std::string_view model) const noexcept {
  const Load* load = find(worker, model);
  return load != nullptr && (load->since || load->unseen_until);
}

bool LoadTable::other_coming(WorkerId worker, std::string_view model) const noexcept {
  return std::any_of(loads_.begin(), loads_.end(), [&](const Load& load) {
    return load.worker == worker && load.model != model && (load.since || load.unseen_until);
  });
}

std::optional<TimePoint> LoadTable::begun(WorkerId worker, std::string_view model) const noexcept {
  const Load* load = find(worker, model);
  return load == nullptr ? std::nullopt : load->since;
}

const std::string* LoadTable::loading(WorkerId worker) const noexcept {
  const auto found = std::find_if(loads_.begin(), loads_.end(), [worker](const Load& load) {
    return load.worker == worker && load.since.has_value();
  });
  return found == loads_.end() ? nullptr : &found->model;
}

WorkerSet LoadTable::workers() const noexcept {
  WorkerSet set;
  for (const Load& load : loads_) {
    if (load.since || load.unseen_until) {
      set.insert(load.worker);
    }
  }
  return set;
}

bool LoadTable::unloadable(WorkerId worker, std::string_view model, TimePoint now) const noexcept {
  const Load* load = find(worker, model);
  return load != nullptr && load->unloadable_until && now < *load->unloadable_until;
}

std::optional<TimePoint> LoadTable::unloadable_until(WorkerId worker,
                                                     std::string_view model) const noexcept {
  const Load* load = find(worker, model);
  return load == nullptr ? std::nullopt : load->unloadable_until;
}

std::string_view LoadTable::error(WorkerId worker, std::string_view model) const noexcept {
  const Load* load = find(worker, model);
  return load == nullptr ? std::string_view() : load->error;
}

Duration LoadTable::load_time(WorkerId worker, std::string_view model,
                              std::optional<Duration> reported) const noexcept {
  const Load* load = find(worker, model);
  return load != nullptr && load->learned ? *load->learned : reported.value_or(options_.load_time);
}

std::optional<TimePoint> LoadTable::next_change(TimePoint now) const noexcept {
  std::optional<TimePoint> next;
  const auto at = [&](TimePoint when) {
    if (when > now && (!next || when < *next)) {
      next = when;
    }
  };
  for (const Load& load : loads_) {
    if (load.since) {
      at(load.deadline);
    }
    if (load.unseen_until) {
      at(*load.unseen_until);
    }
    if (load.unloadable_until) {
      at(*load.unloadable_until);
    }
  }
  return next;
}

}  // namespace lmb::scheduling
