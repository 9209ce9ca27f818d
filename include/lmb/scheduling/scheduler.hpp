#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// A worker's state as the brain sees it. `starting` = never probed successfully nor given up.
enum class WorkerState : std::uint8_t { starting, up, down };

std::string_view to_string(WorkerState state) noexcept;

/// Why a request is given no worker.
enum class Refusal : std::uint8_t {
  queue_full,     ///< SchedulerOptions::queue_length waiting already.
  unknown_model,  ///< Every worker's catalogue was read once and none lists the model.
  no_worker,      ///< No worker for the model was up during the grace time.
  deadline,       ///< Demand::deadline passed in the queue.
  closed,         ///< The scheduler was closed (shutdown).
  all_tried,      ///< Every worker that has the model, up or not, is in Demand::tried.
};

/// The enumerator's name, e.g. "queue_full".
std::string_view to_string(Refusal refusal) noexcept;

/// Either a worker (its slot is taken), a place in the queue, or a refusal.
using Submitted = std::variant<WorkerId, TicketId, Refusal>;

/// What became of a request on a worker.
enum class Outcome : std::uint8_t {
  answered,      ///< The worker gave a complete answer (whatever its status, unless its own fault).
  worker_fault,  ///< Connect failure, reset, garbage, a fault told in the answer.
  abandoned,     ///< The client left or a deadline passed: no evidence about the worker.
};

/// One name under which a worker serves a model (key, variant or instance id).
struct ModelOffer {
  std::string name;
  bool loaded = false;
  bool operator==(const ModelOffer&) const = default;
};

/// What a worker's catalogue means to the brain.
struct Offers {
  std::vector<ModelOffer> models;
  /// Sum of `parallel` over the loaded instances; nothing = not told, then slots_unknown counts.
  std::optional<std::uint32_t> slots;
  bool operator==(const Offers&) const = default;
};

struct Grant {
  TicketId ticket;
  WorkerId worker;
  bool operator==(const Grant&) const = default;
};
struct RefusedTicket {
  TicketId ticket;
  Refusal why;
  bool operator==(const RefusedTicket&) const = default;
};
struct Transition {
  WorkerId worker;
  WorkerState from;
  WorkerState to;
  bool operator==(const Transition&) const = default;
};

/// What the shell has to do after an event. Comparable and printable, so that tests read as
/// stories.
struct Effects {
  std::vector<Grant> grants;
  std::vector<RefusedTicket> refusals;
  std::vector<Transition> transitions;
  [[nodiscard]] bool empty() const noexcept {
    return grants.empty() && refusals.empty() && transitions.empty();
  }
  bool operator==(const Effects&) const = default;
};

struct WorkerSnapshot {
  WorkerId id;
  std::string name;
  WorkerState state = WorkerState::starting;
  bool draining = false;
  bool catalogue_known = false;
  std::uint32_t in_flight = 0;
  std::uint32_t slots = 0;
  std::uint64_t grants_total = 0;
};

struct FleetSnapshot {
  std::vector<WorkerSnapshot> workers;
  std::size_t queued = 0;
};

/// Decides which worker serves which request, and who waits.
///
/// Least outstanding requests: among the workers that are up, not draining, not tried, offer the
/// model and have a free slot, the one with the lowest in_flight per weight, this request counted;
/// ties go to the one whose last grant is the longest ago. Choosing and counting are one step.
/// Workers that have the model loaded are preferred over those that would have to load it; a worker
/// whose catalogue is not known yet is taken for the latter. When no slot is free the request waits
/// in one bounded queue, first come first served among those that a freed slot can serve.
///
/// Invariants, checked at the end of every call: 0 <= in_flight; a grant never exceeds slots (slots
/// may shrink under running requests); queued <= queue_length; and work conservation: no request
/// waits while an eligible worker has a free slot. Deterministic: the same calls give the same
/// results. Thread safety: none; owned by the Dispatcher.
class Scheduler {
 public:
  /// `now` starts the startup grace. Worker i of `fleet` has WorkerId i. At most fleet_size_max
  /// workers.
  Scheduler(const SchedulerOptions& options, const std::vector<WorkerSpec>& fleet, TimePoint now);
  ~Scheduler();
  Scheduler(Scheduler&&) noexcept;
  Scheduler& operator=(Scheduler&&) noexcept;

  /// Does not allocate unless the request has to wait. A request with a deadline in the past is
  /// still given a free slot, but does not wait. A request that no worker can serve for now is told
  /// no_worker when no_worker_grace has passed since its arrival or the loss of its last worker;
  /// while one of its workers is `starting` within startup_grace it is not yet lost.
  Submitted submit(const Demand& demand, TimePoint now);
  /// Takes a waiting request out. False: it is not waiting any more (granted or refused: the effect
  /// that says so was already returned to somebody, who must deliver or undo it).
  bool withdraw(TicketId ticket);
  /// Gives a slot back. May grant waiting requests. worker_fault counts as a failed observation of
  /// health, answered as a successful one if it opposes the present count of failures.
  Effects finish(WorkerId worker, Outcome outcome, TimePoint now);
  /// A probe's result: `alive` after greeting and model list were both right. Call set_offers first
  /// when the list is new, else a worker that comes up is for an instant taken for one that may
  /// have every model.
  Effects observe_probe(WorkerId worker, bool alive, TimePoint now);
  /// Waiting requests whose model nobody offers any more are refused at once.
  Effects set_offers(WorkerId worker, Offers offers, TimePoint now);
  /// A draining worker finishes what it has and gets nothing new.
  Effects set_draining(WorkerId worker, bool draining, TimePoint now);
  /// Expires queue deadlines and grace times.
  Effects tick(TimePoint now);
  /// Refuses everything that waits, and every later submit. Running requests go on.
  Effects close();

  /// When tick has work; nothing when no one waits.
  [[nodiscard]] std::optional<TimePoint> next_tick() const;
  [[nodiscard]] FleetSnapshot snapshot() const;
  [[nodiscard]] std::size_t queued() const noexcept;
  /// A worker is up and not draining: new requests can be served.
  [[nodiscard]] bool any_up() const noexcept;
  /// Estimated seconds until a slot becomes free, from the measured rate of finishes: what
  /// Retry-After says. 1..60. (queued + 1) / rate, rounded up; rate = finishes per second of time
  /// in which any request ran, with a memory of 60 s. 1 while a slot is free and no one waits;
  /// no_worker_grace while no worker is up or nothing has finished yet.
  [[nodiscard]] std::uint32_t retry_after_seconds(TimePoint now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lmb::scheduling
