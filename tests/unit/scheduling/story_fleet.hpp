#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>

#include "lmb/scheduling/options.hpp"

// The workers and options that stories begin with.

namespace lmb::scheduling {

using namespace std::chrono_literals;

inline WorkerSet workers(std::initializer_list<std::uint32_t> ids) {
  WorkerSet set;
  for (const std::uint32_t id : ids) {
    set.insert(WorkerId(id));
  }
  return set;
}

/// A worker whose instances have that many slots, set by the operator.
inline WorkerSpec slots(std::uint32_t count) {
  WorkerSpec spec;
  spec.slots = count;
  return spec;
}

/// The same, and no more than that over all its instances.
inline WorkerSpec slots_in_all(std::uint32_t count) {
  WorkerSpec spec = slots(count);
  spec.max_in_flight = count;
  return spec;
}

/// A worker whose slots its catalogue tells.
inline WorkerSpec auto_slots() {
  return {};
}

/// The defaults, but workers come back with all their slots at once.
inline SchedulerOptions plain_options() {
  SchedulerOptions options;
  options.health.slow_start = 0s;
  return options;
}

}  // namespace lmb::scheduling
