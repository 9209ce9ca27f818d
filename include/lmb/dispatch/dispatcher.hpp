#pragma once

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/dispatch/acquisition.hpp"
#include "lmb/scheduling/scheduler.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::dispatch {

/// The thread-safe shell of the brain: one short mutex around the pure Scheduler. It decides
/// nothing. Effects are carried out after the lock is left; waiters are woken by a post to their
/// own shard. Thread safety: all members, from any thread. Lifetime: outlives all leases and
/// acquisitions.
class Dispatcher {
 public:
  struct Setup {
    scheduling::SchedulerOptions options;
    std::vector<scheduling::WorkerSpec> fleet;
    std::vector<boost::asio::any_io_executor> shards;  ///< By shard index.
    telemetry::Metrics* metrics = nullptr;             ///< Outlives the dispatcher.
    /// A worker was found wedged: what runs there must be ended or tried elsewhere. Called from any
    /// thread, without the lock.
    std::function<void(WorkerId)> on_wedged = [](WorkerId) {};
    /// A load takes too long: the request that was granted it must be ended or tried elsewhere. As
    /// above; `grant`: Slot::grant.
    std::function<void(std::uint64_t grant)> on_overdue = [](std::uint64_t) {};
    /// The worker's model list is not what it was told to be. As above.
    std::function<void(WorkerId)> on_doubted = [](WorkerId) {};
  };
  explicit Dispatcher(const Setup& setup);

  /// Remembers what `by` ("probe", "request"; a literal) last failed with, for the log line when
  /// the worker goes down; tell it before the failure itself.
  void note_failure(WorkerId worker, const char* by, ErrorKind kind) noexcept;
  /// `probe` without last_bytes: note_delivery() told of them.
  void observe_probe(WorkerId worker, scheduling::ProbeReport probe);
  void set_offers(WorkerId worker, const scheduling::Offers& offers);
  void set_draining(WorkerId worker, bool draining);
  // A reload; see Scheduler. Whoever calls these has told the shards of a worker that joins before.
  [[nodiscard]] scheduling::WorkerSet vacant() const;
  void add_worker(WorkerId place, const scheduling::WorkerSpec& spec);
  void retire_worker(WorkerId worker);
  void change_worker(WorkerId worker, const scheduling::WorkerSpec& spec);
  /// Pays for a retry on another worker; false when the fleet's budget is spent.
  [[nodiscard]] bool take_retry();
  /// For one that nobody was left to make.
  void give_back_retry();
  /// The worker delivers an answer: a probe that is late meanwhile is no evidence against it. One
  /// relaxed store.
  void note_delivery(WorkerId worker, TimePoint now) noexcept;
  /// Expires deadlines; one shard calls it on each of its ticks.
  void tick(TimePoint now);
  /// Refuses what waits and what comes; leases go on.
  void close();

  /// The worker loads a model: its catalogue is to be read each second.
  [[nodiscard]] bool loading(WorkerId worker) const;
  /// See Scheduler::servable.
  [[nodiscard]] bool servable(const scheduling::Demand& demand) const;
  /// See Scheduler::load_error.
  [[nodiscard]] std::string load_error(std::string_view model) const;
  /// See Scheduler::awaited.
  [[nodiscard]] bool awaited(const scheduling::Slot& slot) const;
  [[nodiscard]] scheduling::FleetSnapshot snapshot(
      scheduling::SnapshotScope scope = scheduling::SnapshotScope::in_use) const;
  /// Names that clients can ask for: every model that a worker offers, and the aliases. For texts.
  [[nodiscard]] std::shared_ptr<const std::vector<std::string>> model_names() const;
  [[nodiscard]] bool any_up() const;
  /// See Scheduler::is_open.
  [[nodiscard]] bool is_open(WorkerId worker) const;
  [[nodiscard]] std::uint32_t retry_after_seconds() const;
  /// The same for a model that no worker could load: when one is asked for it again, 1..600.
  [[nodiscard]] std::uint32_t load_retry_after_seconds(std::string_view model) const;
  /// Also of one that left the fleet, until another has its place. Lives as long as the dispatcher.
  [[nodiscard]] const std::string& worker_name(WorkerId worker) const {
    return *names_[worker.value()].load(std::memory_order_acquire);
  }

 private:
  friend class Lease;
  friend class Acquisition;
  void finish(const scheduling::Slot& slot, const scheduling::Report& report);
  void first_token(const scheduling::Slot& slot);
  void held_back(const scheduling::Slot& slot);
  /// Delivers grants and refusals to the shards of their waiters, logs transitions. Called without
  /// the lock.
  void carry_out(scheduling::Effects effects);
  void note_pause(TimePoint now);
  void tell(const scheduling::Transition& transition) const;
  void set_name(WorkerId place, const std::string& name);
  [[nodiscard]] std::shared_ptr<const std::vector<std::string>> list_names() const;
  [[nodiscard]] std::string failure_text(WorkerId worker) const;
  void deliver(std::size_t shard, TicketId ticket,
               std::variant<scheduling::Slot, scheduling::Refusal> outcome);

  std::vector<boost::asio::any_io_executor> shards_;
  struct Failure {
    const char* by = "";
    ErrorKind kind = ErrorKind::internal;
  };
  static constexpr std::size_t places = scheduling::fleet_size_max;
  /// By worker; readers take no lock, so no name is ever dropped.
  std::array<std::atomic<const std::string*>, places> names_{};
  telemetry::Metrics* metrics_;
  std::function<void(WorkerId)> on_wedged_;
  std::function<void(std::uint64_t)> on_overdue_;
  std::function<void(WorkerId)> on_doubted_;
  /// By worker: ticks of the clock when it last delivered; 0 = never.
  std::array<std::atomic<TimePoint::rep>, places> delivered_{};
  std::mutex offers_mutex_;  ///< Held by what changes offered_ or names_ alone, around mutex_.
  std::set<std::string> all_names_;                       // guarded by offers_mutex_
  std::array<std::vector<std::string>, places> offered_;  ///< Model keys; guarded by offers_mutex_
  std::vector<std::string> aliases_;
  mutable std::mutex mutex_;
  scheduling::Scheduler scheduler_;                              // guarded by mutex_
  std::optional<TimePoint> ticked_;                              // guarded by mutex_
  std::unordered_map<TicketId, std::size_t> ticket_shard_;       // guarded by mutex_
  std::shared_ptr<const std::vector<std::string>> model_names_;  // guarded by mutex_
  std::array<Failure, places> last_failure_;                     // By worker; guarded by mutex_
  /// Waiting acquisitions by shard; each map is touched by its shard only.
  std::vector<std::unordered_map<TicketId, Acquisition*>> rooms_;
};

}  // namespace lmb::dispatch
