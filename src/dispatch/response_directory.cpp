#include "lmb/dispatch/response_directory.hpp"

#include "lmb/base/clock.hpp"

namespace lmb::dispatch {

void ResponseDirectory::remember(std::string_view id, WorkerId worker) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  homes_.remember(id, worker, now);
}

void ResponseDirectory::forget(WorkerId worker) {
  const std::lock_guard lock(mutex_);
  homes_.forget(worker);
}

scheduling::Home ResponseDirectory::find(std::string_view id, std::size_t workers,
                                         const Dispatcher& dispatcher) const {
  const auto now = Clock::now();
  const auto usable = [&dispatcher](WorkerId worker) { return dispatcher.is_open(worker); };
  const std::lock_guard lock(mutex_);
  return homes_.find(id, now, workers, usable);
}

}  // namespace lmb::dispatch
