#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/effects.hpp"
#include "lmb/scheduling/offers.hpp"
#include "lmb/scheduling/options.hpp"
#include "lmb/scheduling/snapshot.hpp"

namespace lmb::scheduling {

/// Decides which worker serves which request, and who waits.
///
/// Least outstanding requests: among the workers that are up, not draining, not tried, offer the
/// model on an instance with a free slot and have room below max_in_flight, the one with the lowest
/// in_flight per weight, this request counted; ties go to the one whose last grant is the longest
/// ago; on that worker the instance that runs the least. Choosing and counting are one step.
/// Instances that are loaded are preferred over workers that would have to load the model, which is
/// one request's task at a time. When no slot is free the request waits in one bounded queue, first
/// come first served among those that a freed slot can serve. A worker whose catalogue was not read
/// yet gets nothing, but lets requests hope.
///
/// Invariants, checked at the end of every call: a grant never exceeds an instance's slots (which
/// may shrink under running requests) nor max_in_flight; queued <= queue_length; and work
/// conservation: no request waits while an eligible instance has a free slot. Deterministic: the
/// same calls give the same results. Thread safety: none; owned by the Dispatcher.
class Scheduler {
 public:
  /// `now` starts the startup grace. Worker i of `fleet` has WorkerId i: its place, of
  /// fleet_size_max, until it leaves.
  Scheduler(const SchedulerOptions& options, const std::vector<WorkerSpec>& fleet, TimePoint now);
  ~Scheduler();
  Scheduler(Scheduler&&) noexcept;
  Scheduler& operator=(Scheduler&&) noexcept;

  /// Call tick(now) first while anything waits: time alone may have freed a slot for an older one;
  /// and after a slot with Slot::watched while anything waits: a trial that begins may leave others
  /// to the rule that breakers which exclude everyone are ignored.
  /// Does not allocate unless the request has to wait. A request with a deadline in the past is
  /// still given a free slot, but does not wait. A request that no worker can serve for now is told
  /// no_worker when no_worker_grace has passed since its arrival or the loss of its last worker;
  /// while one of its workers is `starting` within startup_grace it is not yet lost.
  Submitted submit(const Demand& demand, TimePoint now);
  /// Takes a waiting request out. False: it is not waiting any more (granted or refused: the effect
  /// that says so was already returned to somebody, who must deliver or undo it).
  bool withdraw(TicketId ticket);
  /// The first token of a running request, for slots with Slot::watched.
  Effects first_token(const Slot& slot, TimePoint now);
  /// The same for slots without it, where the token means nothing to others: no load and no prompt
  /// explains a silence from now on.
  void note_first_token(const Slot& slot, TimePoint now);
  /// The client of this running request reads more slowly than the worker writes: from now on its
  /// silence is no evidence against the worker.
  void held_back(const Slot& slot);
  /// Nobody could have been heard until now, as when this machine slept: no worker's silence so far
  /// is evidence against it.
  void excuse_silence(TimePoint now);
  /// Ends a request. Its slot is free at once, unless the client left after it was sent and before
  /// a token was seen: then the slot settles. May grant waiting requests. Tells the worker's
  /// breaker.
  Effects finish(const Slot& slot, const Report& report, TimePoint now);
  /// Asks for one retry out of the fleet's budget, before a request whose attempt failed is
  /// submitted again for another worker. False: the budget is spent, give up.
  [[nodiscard]] bool take_retry(TimePoint now);
  /// Nobody was left to make it.
  void give_back_retry() noexcept;
  /// A probe's result. Call set_offers first when the list is new. A probe that timed out while the
  /// worker delivered bytes is no evidence. Also judges whether the worker is wedged.
  Effects observe_probe(WorkerId worker, const ProbeReport& probe, TimePoint now);
  /// Waiting requests whose model nobody offers any more are refused at once. An instance that
  /// vanishes with requests running keeps its count until they are finished.
  Effects set_offers(WorkerId worker, const Offers& offers, TimePoint now);
  /// A draining worker finishes what it has and gets nothing new.
  Effects set_draining(WorkerId worker, bool draining, TimePoint now);

  // Workers that join, leave and change while the scheduler runs. What probes, catalogues and
  // operators say of a worker that is not in the fleet is passed over.
  /// Places, of the fleet_size_max that there are, which no worker has and where nothing runs.
  [[nodiscard]] WorkerSet vacant() const noexcept;
  /// A worker joins, known no better than at the start: `starting`, its catalogue unread. `place`
  /// is vacant, or a worker of that name left it and still runs requests there: these count again.
  Effects add_worker(WorkerId place, const WorkerSpec& spec, TimePoint now);
  /// A worker leaves: it is given nothing new, and waiting requests for models that only it offers
  /// are refused at once. What runs on it goes on, is counted until it ends, and is no evidence any
  /// more. Then the place is vacant.
  Effects retire_worker(WorkerId worker, TimePoint now);
  /// What the operator says of a worker of the fleet; `spec` has its name. Smaller numbers than run
  /// now take nothing away.
  Effects change_worker(WorkerId worker, const WorkerSpec& spec, TimePoint now);

  /// Expires queue deadlines and grace times.
  Effects tick(TimePoint now);
  /// Refuses everything that waits, and every later submit. Running requests go on.
  Effects close();

  /// The worker loads a model, or did, or has to do it for a stream that waits, and its catalogue
  /// does not show it yet: read that each second.
  [[nodiscard]] bool loading(WorkerId worker) const;
  /// A load is under way, or its end is still to be told: tick() does that, also while nothing
  /// waits.
  [[nodiscard]] bool any_loads() const noexcept;
  /// A slot is settling: tick() frees it in time, also while nothing waits.
  [[nodiscard]] bool any_settling() const noexcept;
  /// Others wait for what this cold request loads, and the load is not over: when its client
  /// leaves, keep the exchange for as long, which models.load_timeout bounds. Always false for a
  /// request that is not cold.
  [[nodiscard]] bool awaited(const Slot& slot) const;

  /// A worker may be given the request, for its model or a fallback, now or when a slot of it is
  /// free. For those who are told no_worker or load_failed: a fallback is
  /// chosen when a request is submitted, and their model's last worker was lost since.
  [[nodiscard]] bool servable(const Demand& demand, TimePoint now) const;

  /// What a worker said when it last failed to load the model; empty = nothing. For those who are
  /// told load_failed.
  [[nodiscard]] std::string load_error(std::string_view model) const;

  /// When a worker that failed to load the model is asked for it again; nothing = none failed. For
  /// those who are told load_failed.
  [[nodiscard]] std::optional<TimePoint> loadable_at(std::string_view model) const;

  /// When tick has work; nothing when no one waits.
  [[nodiscard]] std::optional<TimePoint> next_tick(TimePoint now) const;
  [[nodiscard]] FleetSnapshot snapshot(TimePoint now,
                                       SnapshotScope scope = SnapshotScope::all_models) const;
  [[nodiscard]] std::size_t queued() const noexcept;
  /// A worker is up, its catalogue is known and it is not draining: new requests can be served.
  [[nodiscard]] bool any_up() const noexcept;
  /// The same of one worker.
  [[nodiscard]] bool is_open(WorkerId worker) const noexcept;
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
