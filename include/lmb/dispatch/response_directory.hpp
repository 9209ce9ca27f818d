#pragma once

#include <mutex>
#include <string_view>

#include "lmb/base/strong_id.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/scheduling/response_homes.hpp"

namespace lmb::dispatch {

/// The shared shell of scheduling::ResponseHomes: one short mutex around it. Thread safety: safe.
class ResponseDirectory {
 public:
  explicit ResponseDirectory(const scheduling::ResponseHomesOptions& options) : homes_(options) {}

  void remember(std::string_view id, WorkerId worker);
  /// Another worker has the place now.
  void forget(WorkerId worker);
  /// Where a request that names `id` must go. `workers`: size of the fleet.
  [[nodiscard]] scheduling::Home find(std::string_view id, std::size_t workers,
                                      const Dispatcher& dispatcher) const;

 private:
  mutable std::mutex mutex_;
  scheduling::ResponseHomes homes_;  // guarded by mutex_
};

}  // namespace lmb::dispatch
