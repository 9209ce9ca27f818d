#pragma once

#include <cstdint>

#include "health.hpp"
#include "lmb/scheduling/options.hpp"
#include "lmb/scheduling/scheduler.hpp"

namespace lmb::scheduling {

/// One worker: what the operator said of it, what it told, and what runs on it.
struct Worker {
  Worker(const WorkerSpec& of, const HealthOptions& health_options)
      : spec(of), health(health_options) {}

  WorkerSpec spec;
  Health health;
  Offers offers;                 ///< What its catalogue said last.
  bool catalogue_known = false;  ///< Its catalogue was read at least once.
  bool draining = false;
  std::uint32_t in_flight = 0;  ///< May exceed `slots` after these shrank.
  std::uint32_t slots = 0;      ///< Requests it may run at once; see slots_of.
  std::uint64_t grants_total = 0;
  std::uint64_t last_grant =
      0;  ///< Number of its latest grant among all the fleet's; 0 = none yet.
};

/// The slots that count now: what the operator set, else what the catalogue told, else
/// `slots_unknown`; never above max_in_flight. A catalogue that tells 0 has no instance loaded: the
/// request that would load one must be let through, so 0 counts as not told.
std::uint32_t slots_of(const Worker& worker, std::uint32_t slots_unknown) noexcept;

}  // namespace lmb::scheduling
