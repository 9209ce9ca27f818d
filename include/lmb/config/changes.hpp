#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lmb/config/config.hpp"

namespace lmb::config {

/// What a newer config makes of the workers of the one that runs. A worker is its name. Indices of
/// Config::fleet, each worker in at most one list; one that is the same in both is in none.
struct FleetChanges {
  std::vector<std::size_t> added;    ///< Of the newer.
  std::vector<std::size_t> removed;  ///< Of the running one.
  /// Another host or port: another machine, as far as we know. Of the newer.
  std::vector<std::size_t> moved;
  std::vector<std::size_t> changed;  ///< Anything else of it: slots, weight, key. Of the newer.
  bool operator==(const FleetChanges&) const = default;
};
FleetChanges compare_fleets(const Config& running, const Config& newer);

/// Paths of the keys that differ but take effect at a start only: all but workers[] and
/// telemetry.log_level. In the order of the reference page.
std::vector<std::string> restart_keys(const Config& running, const Config& newer);

}  // namespace lmb::config
