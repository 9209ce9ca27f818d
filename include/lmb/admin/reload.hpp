#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lmb/config/config.hpp"

namespace lmb::admin {

/// What became of an attempt to read the config file again.
struct ReloadReport {
  enum class Result : std::uint8_t {
    done,
    refused,  ///< The file has problems, or there is no place for its workers: nothing changed.
    no_file,  ///< The program was started without one.
    busy,     ///< Another reload is under way.
    ending,   ///< The program shuts down.
  };
  Result result = Result::done;
  std::vector<config::Problem> problems;  ///< Of refused.
  // Of done: names of workers, and keys that take effect at a start only.
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;
  std::vector<std::string> restart_needed;
};

/// Begins a reload on the control shard; `done` is called there once, now or later. When the
/// program ends meanwhile it may never be called, only destroyed.
using BeginReload = std::function<void(std::function<void(ReloadReport)> done)>;

}  // namespace lmb::admin
