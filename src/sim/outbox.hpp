#pragma once

#include <map>
#include <optional>
#include <vector>

#include "lmb/sim/engine.hpp"

namespace lmb::sim {

/// Events on their way out of an engine, by time; of equal times, first come first out.
class Outbox {
 public:
  void push(const Event& event) { events_.emplace(event.at, event); }
  /// Forgets what a job has still to say.
  void drop(JobId job) {
    std::erase_if(events_, [job](const auto& entry) { return entry.second.job == job; });
  }
  [[nodiscard]] std::optional<TimePoint> next() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first);
  }
  /// Takes out everything up to and including `now`.
  std::vector<Event> take(TimePoint now) {
    std::vector<Event> out;
    const auto end = events_.upper_bound(now);
    for (auto event = events_.begin(); event != end; ++event) out.push_back(event->second);
    events_.erase(events_.begin(), end);
    return out;
  }

 private:
  std::multimap<TimePoint, Event> events_;
};

}  // namespace lmb::sim
