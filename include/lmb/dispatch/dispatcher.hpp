#pragma once

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/net/bell.hpp"
#include "lmb/scheduling/scheduler.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::dispatch {

class Dispatcher;
class Acquisition;

/// A slot on a worker, held by one request; the destructor gives it back as abandoned.
/// Thread safety: none, but it may be moved to and finished on any shard.
class Lease {
 public:
  Lease() noexcept = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  [[nodiscard]] bool held() const noexcept { return dispatcher_ != nullptr; }
  [[nodiscard]] WorkerId worker() const noexcept { return slot_.worker; }
  /// Instance, and what the forwarded body must name as its model; valid while held.
  [[nodiscard]] const scheduling::Slot& slot() const noexcept { return slot_; }
  /// The request's first byte leaves for the worker. From now on, a client that leaves before a
  /// token was seen leaves the slot settling.
  void note_sent(TimePoint now) noexcept;
  /// Nothing of it has reached the worker after all: the kept-alive connection was dead.
  void note_unsent() noexcept { noted_.sent.reset(); }
  /// The first token of the answer.
  void note_first_token(TimePoint now) noexcept;
  /// A token of a stream came.
  void note_token(TimePoint now) noexcept;
  /// The client reads too slowly, so that the worker has to wait: see Scheduler::held_back. Takes
  /// the dispatcher's lock.
  void note_held_back() noexcept;
  /// Gives the slot back and says how it went. A second call does nothing.
  void finish(scheduling::Outcome outcome) noexcept;
  /// The same after a fault of the worker, whose kind is told in the log if it goes down by it.
  /// `prompt`: a hash of the request, 0 = not known; one prompt's faults are one piece of evidence.
  void finish_with_fault(ErrorKind kind, std::uint64_t prompt = 0) noexcept;
  /// The same, with what else is known of it; times noted before are kept where it has none.
  void finish(scheduling::Report report) noexcept;

 private:
  friend class Dispatcher;
  friend class Acquisition;
  Lease(Dispatcher& dispatcher, scheduling::Slot slot) noexcept
      : dispatcher_(&dispatcher), slot_(std::move(slot)) {}
  Dispatcher* dispatcher_ = nullptr;
  scheduling::Slot slot_;
  scheduling::Report noted_;
};

/// One request's wait for a slot: submits on construction, leaves the queue on destruction.
/// Thread safety: none; lives on the shard whose index it was given, as does the bell, which
/// outlives it.
class Acquisition {
 public:
  Acquisition(Dispatcher& dispatcher, std::size_t shard, const scheduling::Demand& demand,
              net::Bell& bell);
  Acquisition(const Acquisition&) = delete;
  Acquisition& operator=(const Acquisition&) = delete;
  ~Acquisition();

  /// Granted or refused; the bell rang when it became so.
  [[nodiscard]] bool settled() const noexcept { return !waiting_; }
  /// Refused because Demand::tried left no worker; take() tells it as no_worker.
  [[nodiscard]] bool all_tried() const noexcept;
  /// The lease, once. Errors: queue_full, model_not_found, model_unavailable, no_worker,
  /// queue_timeout, shutting_down.
  Result<Lease> take();

 private:
  friend class Dispatcher;
  void settle(std::variant<Lease, scheduling::Refusal> outcome);

  Dispatcher& dispatcher_;
  net::Bell& bell_;
  const std::size_t shard_;
  TicketId ticket_{};
  bool waiting_ = false;
  std::variant<Lease, scheduling::Refusal> outcome_;
};

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
  /// The worker delivers an answer: a probe that is late meanwhile is no evidence against it. One
  /// relaxed store.
  void note_delivery(WorkerId worker, TimePoint now) noexcept;
  /// Expires deadlines; one shard calls it on each of its ticks.
  void tick(TimePoint now);
  /// Refuses what waits and what comes; leases go on.
  void close();

  /// The worker loads a model: its catalogue is to be read each second.
  [[nodiscard]] bool loading(WorkerId worker) const;
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
  /// By worker: ticks of the clock when it last delivered; 0 = never.
  std::array<std::atomic<TimePoint::rep>, places> delivered_{};
  std::mutex offers_mutex_;  ///< Held by what changes offered_ or names_ alone, around mutex_.
  std::set<std::string> all_names_;                       // guarded by offers_mutex_
  std::array<std::vector<std::string>, places> offered_;  ///< Model keys; guarded by offers_mutex_
  std::vector<std::string> aliases_;
  mutable std::mutex mutex_;
  scheduling::Scheduler scheduler_;                              // guarded by mutex_
  std::unordered_map<TicketId, std::size_t> ticket_shard_;       // guarded by mutex_
  std::shared_ptr<const std::vector<std::string>> model_names_;  // guarded by mutex_
  std::array<Failure, places> last_failure_;                     // By worker; guarded by mutex_
  /// Waiting acquisitions by shard; each map is touched by its shard only.
  std::vector<std::unordered_map<TicketId, Acquisition*>> rooms_;
};

}  // namespace lmb::dispatch
