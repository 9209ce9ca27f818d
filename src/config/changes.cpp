#include "lmb/config/changes.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <variant>

#include "key.hpp"

namespace lmb::config {
namespace {

std::optional<std::size_t> find(const Config& config, const std::string& name) {
  const auto found = std::find_if(config.fleet.begin(), config.fleet.end(),
                                  [&](const auto& worker) { return worker.name == name; });
  if (found == config.fleet.end()) return std::nullopt;
  return static_cast<std::size_t>(found - config.fleet.begin());
}

/// What the key's fields hold, which are of one type as they are of one key.
bool same_value(const Field& a, const Field& b) {
  return std::visit(
      [&b](auto left) {
        if constexpr (std::is_same_v<decltype(left), std::monostate>) {
          return true;
        } else {
          return *left == *std::get<decltype(left)>(b);
        }
      },
      a);
}

bool is_reloaded(const Key& key) {
  return key.path.starts_with("workers[]") || key.path == "telemetry.log_level";
}

}  // namespace

FleetChanges compare_fleets(const Config& running, const Config& newer) {
  FleetChanges changes;
  for (std::size_t i = 0; i < running.fleet.size(); ++i) {
    if (!find(newer, running.fleet[i].name)) changes.removed.push_back(i);
  }
  for (std::size_t i = 0; i < newer.fleet.size(); ++i) {
    const auto before = find(running, newer.fleet[i].name);
    if (!before) {
      changes.added.push_back(i);
      continue;
    }
    const auto& was = running.addresses[*before];
    const auto& is = newer.addresses[i];
    if (was.host != is.host || was.port != is.port) {
      changes.moved.push_back(i);
    } else if (was != is || running.fleet[*before] != newer.fleet[i]) {
      changes.changed.push_back(i);
    }
  }
  return changes;
}

std::vector<std::string> restart_keys(const Config& running, const Config& newer) {
  // The table's fields are for writing.
  auto before = running;
  auto after = newer;
  WorkerDraft none;
  std::vector<std::string> paths;
  for (const auto& key : all_keys()) {
    if (is_reloaded(key)) continue;
    if (same_value(key.field({before, none}), key.field({after, none}))) continue;
    paths.emplace_back(key.path);
  }
  return paths;
}

}  // namespace lmb::config
