#include "loader.hpp"

#include <algorithm>
#include <utility>

#include "duration.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::sim {
namespace {

TimePoint step_end(const Residence& instance, std::uint32_t step) {
  return instance.load_start +
         scaled(instance.load_time, static_cast<double>(step) / Loader::progress_steps);
}

}  // namespace

Loader::Loader(Rules rules, std::vector<DiskModel> models)
    : rules_(rules), models_(std::move(models)) {}

InstanceNumber Loader::add(std::size_t model, Origin origin, TimePoint now) {
  LMB_ASSERT(model < models_.size());
  Residence instance;
  const std::string& key = models_[model].key;
  instance.id = key;
  for (int n = 2; find_id(instance.id); ++n) instance.id = key + ":" + std::to_string(n);
  instance.model = model;
  instance.origin = origin;
  instance.load_start = now;
  instance.load_time = models_[model].load_time;
  instance.idle_since = now;
  const InstanceNumber number(++last_number_);
  instances_.emplace(number, std::move(instance));
  return number;
}

InstanceNumber Loader::place(std::size_t model, TimePoint now) {
  const InstanceNumber number = add(model, Origin::by_hand, now);
  instances_.at(number).loaded = true;
  return number;
}

std::optional<InstanceNumber> Loader::load(std::size_t model, Origin origin, Duration ttl,
                                           TimePoint now) {
  LMB_ASSERT(model < models_.size());
  run_to(now);
  if (origin == Origin::just_in_time) evict_others(model, now);
  const LoadFault fault = models_[model].fault;
  if (fault == LoadFault::refused || !fits(model)) return std::nullopt;
  const InstanceNumber number = add(model, origin, now);
  Residence& instance = instances_.at(number);
  instance.hangs = fault == LoadFault::hangs;
  instance.fails = fault == LoadFault::fails;
  if (origin == Origin::just_in_time) instance.ttl = ttl;
  return number;
}

std::optional<InstanceNumber> Loader::find(std::size_t model) const {
  for (const auto& [number, instance] : instances_) {
    if (instance.model == model && instance.loaded) return number;
  }
  if (rules_.duplicate_loads) return std::nullopt;
  for (const auto& [number, instance] : instances_) {
    if (instance.model == model) return number;
  }
  return std::nullopt;
}

std::optional<InstanceNumber> Loader::find_id(std::string_view id) const {
  const auto found =
      std::ranges::find_if(instances_, [id](const auto& entry) { return entry.second.id == id; });
  if (found == instances_.end()) return std::nullopt;
  return found->first;
}

const Residence* Loader::residence(InstanceNumber instance) const {
  const auto found = instances_.find(instance);
  return found == instances_.end() ? nullptr : &found->second;
}

void Loader::hold(InstanceNumber instance, TimePoint now) {
  run_to(now);
  const auto found = instances_.find(instance);
  if (found != instances_.end()) ++found->second.requests;
}

void Loader::release(InstanceNumber instance, TimePoint now) {
  run_to(now);
  const auto found = instances_.find(instance);
  if (found == instances_.end()) return;
  LMB_ASSERT(found->second.requests > 0);
  --found->second.requests;
  found->second.idle_since = now;
}

void Loader::unload(InstanceNumber instance, UnloadReason reason, TimePoint now) {
  run_to(now);
  if (instances_.contains(instance)) remove(instance, reason, now);
}

std::optional<TimePoint> Loader::due(const Residence& instance) {
  if (instance.loaded) {
    if (instance.requests > 0 || instance.ttl == Duration::max()) return std::nullopt;
    return add_saturated(instance.idle_since, instance.ttl);
  }
  const std::uint32_t next = instance.progress_steps + 1;
  if (instance.hangs && next > progress_steps / 2) return std::nullopt;
  return step_end(instance, next);
}

std::optional<TimePoint> Loader::next_event() const {
  std::optional<TimePoint> first;
  for (const auto& [number, instance] : instances_) {
    const auto at = due(instance);
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

std::vector<LoadEvent> Loader::advance(TimePoint now) {
  run_to(now);
  return std::exchange(events_, {});
}

void Loader::run_to(TimePoint now) {
  while (true) {
    std::optional<std::pair<TimePoint, InstanceNumber>> first;
    for (const auto& [number, instance] : instances_) {
      const auto at = due(instance);
      if (at && *at <= now && (!first || *at < first->first)) first.emplace(*at, number);
    }
    if (!first) return;
    happen(first->second, first->first);
  }
}

void Loader::happen(InstanceNumber number, TimePoint now) {
  Residence& instance = instances_.at(number);
  if (instance.loaded) {
    remove(number, UnloadReason::idle, now);
    return;
  }
  if (++instance.progress_steps < progress_steps) {
    LoadEvent event{now, number, LoadEventKind::progress};
    event.progress = static_cast<double>(instance.progress_steps) / progress_steps;
    events_.push_back(event);
    return;
  }
  if (instance.fails) {
    remove(number, UnloadReason::load_failed, now);
    return;
  }
  instance.loaded = true;
  instance.idle_since = now;
  events_.push_back({now, number, LoadEventKind::loaded});
  if (instance.origin == Origin::just_in_time) evict_others(instance.model, now);
}

void Loader::remove(InstanceNumber number, UnloadReason reason, TimePoint now) {
  LoadEvent event{now, number, LoadEventKind::unloaded};
  event.reason = reason;
  events_.push_back(event);
  instances_.erase(number);
}

void Loader::evict_others(std::size_t model, TimePoint now) {
  if (!rules_.auto_evict) return;
  std::vector<InstanceNumber> others;
  for (const auto& [number, instance] : instances_) {
    const bool kept = instance.model == model || instance.origin == Origin::by_hand;
    if (instance.loaded && !kept) others.push_back(number);
  }
  for (const InstanceNumber number : others) remove(number, UnloadReason::evicted, now);
}

bool Loader::fits(std::size_t model) const {
  if (rules_.memory_bytes == 0) return true;
  std::uint64_t used = models_[model].size_bytes;
  for (const auto& [number, instance] : instances_) used += models_[instance.model].size_bytes;
  return used <= rules_.memory_bytes;
}

}  // namespace lmb::sim
