#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "lmb/base/error.hpp"
#include "lmb/net/bell.hpp"
#include "lmb/scheduling/scheduler.hpp"

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
  void note_delivery(TimePoint now) noexcept;
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
  void note_shard(TicketId ticket);

  Dispatcher& dispatcher_;
  net::Bell& bell_;
  const std::size_t shard_;
  TicketId ticket_{};
  bool waiting_ = false;
  std::variant<Lease, scheduling::Refusal> outcome_;
};

}  // namespace lmb::dispatch
