#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/slot.hpp"

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

/// Either a slot, a place in the queue, or a refusal.
using Submitted = std::variant<Slot, TicketId, Refusal>;

/// What became of a request on a worker.
enum class Outcome : std::uint8_t {
  answered,      ///< The worker gave a complete answer (whatever its status, unless its own fault).
  worker_fault,  ///< Connect failure, reset, garbage, a fault told in the answer.
  abandoned,     ///< The client left or a deadline passed: no evidence about the worker.
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
  [[nodiscard]] bool empty() const noexcept {
    return grants.empty() && refusals.empty() && transitions.empty();
  }
};

}  // namespace lmb::scheduling
