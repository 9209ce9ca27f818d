#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/slot.hpp"

namespace lmb::scheduling {

/// A worker's state as the brain sees it.
enum class WorkerState : std::uint8_t {
  starting,  ///< Never probed successfully nor given up.
  up,
  suspect,   ///< Up, but its last probe or request failed, or its breaker is not closed.
  down,      ///< Its probes fail.
  draining,  ///< Finishes what it has (in snapshots only; a Transition tells of the states above).
};

std::string_view to_string(WorkerState state) noexcept;

/// Why a request is given no worker.
enum class Refusal : std::uint8_t {
  queue_full,     ///< SchedulerOptions::queue_length waiting already.
  unknown_model,  ///< Every worker's catalogue was read once and none lists the model.
  no_worker,      ///< No worker for the model was up during the grace time.
  deadline,       ///< Demand::deadline passed in the queue.
  closed,         ///< The scheduler was closed (shutdown).
  all_tried,      ///< Every worker that has the model, up or not, is in Demand::tried.
  load_failed,    ///< Every worker that has it failed to load it a short time ago.
};

/// The enumerator's name, e.g. "queue_full".
std::string_view to_string(Refusal refusal) noexcept;

/// Either a slot, a place in the queue, or a refusal.
using Submitted = std::variant<Slot, TicketId, Refusal>;

/// What became of a request on a worker.
enum class Outcome : std::uint8_t {
  answered,      ///< The worker gave a complete answer (whatever its status, unless its own fault).
  worker_fault,  ///< Connect failure, reset, garbage, a fault told in the answer.
  abandoned,     ///< The client left or a deadline passed: no evidence about the worker.
  /// It answered that it cannot provide the model: the load failed, or what the catalogue told as
  /// loaded is not there any more.
  model_unavailable,
};

/// How a request on a worker went: what finish() is told.
struct Report {
  Report() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor): most reports are just an outcome.
  Report(Outcome what) noexcept : outcome(what) {}

  Outcome outcome = Outcome::answered;
  /// When the first byte of the request left for the worker; nothing = none did (connect failures).
  std::optional<TimePoint> sent;
  std::optional<TimePoint> first_token;
  std::optional<TimePoint> last_token;  ///< Of a stream.
  std::uint64_t tokens = 0;             ///< Of a stream, as far as counted.
  /// A hash of the request for worker_fault, 0 = not known: the faults of one prompt on many
  /// workers are one piece of evidence.
  std::uint64_t prompt = 0;
  /// For answered: false when nothing of the answer came from the model, as with a refused body or
  /// a route that the worker lacks. It proves no load.
  bool by_model = true;
  /// For model_unavailable: false when it refused the name without trying to load anything.
  bool load_tried = true;
  /// What the worker said of a load that failed, for those who waited for it; may be empty.
  std::string load_error;
};

/// A probe's result.
struct ProbeReport {
  ProbeReport() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  ProbeReport(bool is_alive) noexcept : alive(is_alive) {}

  bool alive = false;      ///< Greeting and model list were both right.
  bool timed_out = false;  ///< Not alive because no answer came in time.
  bool connected = false;  ///< With timed_out: it took the connection, and then did not answer.
  TimePoint begun;         ///< Needed with timed_out.
  std::optional<TimePoint> last_bytes;  ///< When the worker last delivered a token.
};

/// A waiting request gets its slot.
struct Grant {
  TicketId ticket;
  Slot slot;
};
struct RefusedTicket {
  TicketId ticket;
  Refusal why;
  bool operator==(const RefusedTicket&) const = default;
};
/// A request whose worker has not loaded the model for it within models.load_timeout.
struct OverdueLoad {
  WorkerId worker;
  std::uint64_t grant = 0;  ///< Slot::grant.
  bool operator==(const OverdueLoad&) const = default;
};
struct Transition {
  WorkerId worker;
  WorkerState from;
  WorkerState to;
  bool operator==(const Transition&) const = default;
};

/// What the shell has to do after an event.
struct Effects {
  std::vector<Grant> grants;
  std::vector<RefusedTicket> refusals;
  std::vector<Transition> transitions;
  /// Workers found wedged: silent for longer than their own past explains. Their breaker is open;
  /// the requests that run on them are the shell's to judge.
  std::vector<WorkerId> wedged;
  /// Nothing is to be expected of these requests where they are. None had a token; the shell spares
  /// one whose token came meanwhile.
  std::vector<OverdueLoad> overdue;
  /// Workers whose model lists are told wrong by their answers: read them again.
  std::vector<WorkerId> doubted;
  [[nodiscard]] bool empty() const noexcept {
    return grants.empty() && refusals.empty() && transitions.empty() && wedged.empty() &&
           overdue.empty() && doubted.empty();
  }
};

}  // namespace lmb::scheduling
