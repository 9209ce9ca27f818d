#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// Which worker loads which model, how long that takes, and which loads failed.
///
/// One load at a time per (worker, model), begun by a cold request. It ends when the catalogue
/// shows an instance (seen), when its request ends, or at its deadline. A failure marks the pair
/// unloadable for `unloadable`, doubled each further time up to `unloadable_max`; a success clears
/// that. A request that left without an answer leaves the load orphaned: perhaps it goes on, so it
/// keeps its place for as long as a load usually takes. A handful of entries: one per model ever
/// loaded by the brain.
class LoadTable {
 public:
  explicit LoadTable(const ModelOptions& options) noexcept : options_(options) {}

  void begin(WorkerId worker, std::string_view model, TimePoint now);
  void seen(WorkerId worker, std::string_view model, TimePoint now);
  /// It ended with an answer: the model is there, and the catalogue will show it soon.
  void answered(WorkerId worker, std::string_view model, TimePoint now);
  /// `why`: the worker's own words; empty = none.
  void failed(WorkerId worker, std::string_view model, std::string why, TimePoint now);
  /// It never began: nothing of the request reached the worker.
  void withdrawn(WorkerId worker, std::string_view model);
  /// `usual`: how long such a load takes.
  void orphaned(WorkerId worker, std::string_view model, Duration usual, TimePoint now);
  /// The worker is gone: all that is known of its loads is.
  void forget(WorkerId worker);
  struct Pair {
    WorkerId worker;
    std::string model;
  };
  /// Ends loads whose time is over: a failure, unless orphaned. Those that failed.
  std::vector<Pair> expire(TimePoint now);

  [[nodiscard]] bool loading(WorkerId worker, std::string_view model) const noexcept;
  /// It loads, or was answered from and the catalogue does not show it yet.
  [[nodiscard]] bool coming(WorkerId worker, std::string_view model) const noexcept;
  /// The same of any model but this one.
  [[nodiscard]] bool other_coming(WorkerId worker, std::string_view model) const noexcept;
  /// When the load began; nothing = none runs.
  [[nodiscard]] std::optional<TimePoint> begun(WorkerId worker,
                                               std::string_view model) const noexcept;
  /// The model that the worker loads; nullptr = none.
  [[nodiscard]] const std::string* loading(WorkerId worker) const noexcept;
  [[nodiscard]] bool unloadable(WorkerId worker, std::string_view model,
                                TimePoint now) const noexcept;
  /// While it is, or was, unloadable; nothing = it never was, or loaded since.
  [[nodiscard]] std::optional<TimePoint> unloadable_until(WorkerId worker,
                                                          std::string_view model) const noexcept;
  /// Why the last load failed; empty = it did not, or gave no reason.
  [[nodiscard]] std::string_view error(WorkerId worker, std::string_view model) const noexcept;
  /// Learned, else `reported`, else models.load_time.
  [[nodiscard]] Duration load_time(WorkerId worker, std::string_view model,
                                   std::optional<Duration> reported) const noexcept;
  /// The next time after `now` at which something of the above changes by itself.
  [[nodiscard]] std::optional<TimePoint> next_change(TimePoint now) const noexcept;
  /// Workers to which a model is coming.
  [[nodiscard]] WorkerSet workers() const noexcept;

 private:
  struct Load {
    WorkerId worker;
    std::string model;
    std::optional<TimePoint> since;  ///< While it runs.
    std::optional<TimePoint> unseen_until;
    TimePoint deadline;
    bool orphan = false;
    bool learns = false;         ///< Its time tells how long loads take.
    std::uint32_t failures = 0;  ///< In a row.
    std::optional<TimePoint> unloadable_until;
    std::optional<Duration> learned;
    std::string error;  ///< Of the last failure, while it counts.
  };
  [[nodiscard]] const Load* find(WorkerId worker, std::string_view model) const noexcept;
  Load& entry(WorkerId worker, std::string_view model);
  /// How long it took counts, if nothing was there before it.
  static void learn(Load& load, TimePoint now);
  static void succeed(Load& load);
  void fail(Load& load, std::string why, TimePoint now) const;

  ModelOptions options_;
  std::vector<Load> loads_;
};

}  // namespace lmb::scheduling
