#pragma once

#include <optional>
#include <vector>

#include "fault_memory.hpp"
#include "finish_rate.hpp"
#include "fleet.hpp"
#include "lease_table.hpp"
#include "lmb/scheduling/retry.hpp"
#include "lmb/scheduling/scheduler.hpp"
#include "load_table.hpp"
#include "model_table.hpp"
#include "wait_queue.hpp"

namespace lmb::scheduling {

/// What decides which instance may serve a request.
struct Needs {
  Offering offering;
  WorkerSet tried;
  std::uint64_t prompt_tokens = 0;  ///< See context_step.
  TimePoint since;                  ///< When the oldest of those that need it arrived.
};

/// The scheduler's state and the steps its calls are made of. Every call is: what happened, then
/// grants, then refusals; a request that can be served is never refused for being late.
struct Scheduler::State {
  State(const SchedulerOptions& scheduler_options, const std::vector<WorkerSpec>& specs,
        TimePoint now);

  /// Workers that have the model or may have it, in whatever state.
  [[nodiscard]] WorkerSet holders(const Offering& offering) const noexcept;
  /// Workers that may be given a request for the model now or when a slot of theirs is free.
  [[nodiscard]] WorkerSet candidates(const Offering& offering, WorkerSet tried) const noexcept;
  /// The free instance that is to serve a request now: the one place where eligibility is decided.
  [[nodiscard]] std::optional<Place> choose(const Needs& needs, TimePoint now) const noexcept;
  [[nodiscard]] std::optional<Place> choose(const LaneKey& key, const WaitQueue::Lane& lane,
                                            TimePoint now) const;
  [[nodiscard]] Needs needs(const LaneKey& key, const WaitQueue::Lane& lane) const;
  /// Candidates, without those whose breakers keep requests away, unless that is all of them.
  [[nodiscard]] WorkerSet admitted(const Needs& needs, TimePoint now) const noexcept;
  /// What the model's name means to a request: itself, what it is an alias of, or a fallback.
  [[nodiscard]] std::string_view unalias(std::string_view name) const;
  struct Meaning {
    std::string_view model;
    WorkerSet tried;  ///< Workers that must not have it.
  };
  [[nodiscard]] Meaning resolve(const Demand& demand, TimePoint now) const;
  /// A worker may be given a request for it, now or later, and has not failed to load it.
  [[nodiscard]] bool serves(std::string_view name, WorkerSet tried, TimePoint now) const;
  /// `name` is one of the names of the model.
  [[nodiscard]] bool is_same(std::string_view name, const std::string& model) const;

  // Loads (loading.cpp).
  /// The worker is kept for another model, or its instances are about to be evicted by a load.
  [[nodiscard]] bool held(Place place) const noexcept;
  /// The place on disk that is to load the model now; nothing = wait.
  [[nodiscard]] std::optional<Place> choose_cold(const Needs& needs, WorkerSet usable,
                                                 TimePoint now) const;
  [[nodiscard]] bool is_loaded(const Needs& needs, WorkerSet usable) const noexcept;
  /// A usable worker loads it, or has just loaded it.
  [[nodiscard]] bool is_coming(const Needs& needs, WorkerSet usable) const noexcept;
  /// All these loads take twice as long as usual already.
  [[nodiscard]] bool is_overdue(const Needs& needs, WorkerSet usable, TimePoint now) const;
  [[nodiscard]] Duration load_time(Place place) const;
  /// Every usable worker has it on disk only and failed to load it lately.
  [[nodiscard]] bool unloadable(const Needs& needs, TimePoint now) const;
  void end_load(const Lease& lease, const Report& report, TimePoint now);
  /// The load took too long: what waits for it there is to be ended.
  void note_overdue(const LoadTable::Pair& load);
  /// The worker leaves: its loads are forgotten, but who waits for them has its deadline still.
  void keep_deadlines(WorkerId worker);
  /// The catalogue was read: a stream without a token on an instance that is not loaded any more
  /// waits until the worker has loaded it again, which is a load that no cold request began.
  void watch_unloaded(WorkerId worker, TimePoint now);
  void end_watched(TimePoint now);
  [[nodiscard]] bool watched_load(WorkerId worker) const noexcept;
  /// The instance is not there, whatever the catalogue told; false: it told so itself.
  bool strike(Place place, TimePoint now, Effects& effects);
  void begin_switches(TimePoint now);
  void end_switches();
  [[nodiscard]] std::optional<WorkerId> choose_switch(const Needs& needs, TimePoint now) const;
  void refuse_unloadable(TimePoint now, Effects& effects);
  /// When a load or a switch may begin for those that wait.
  [[nodiscard]] std::optional<TimePoint> next_load(TimePoint now) const;
  [[nodiscard]] HoldCounts holds(TimePoint now) const;
  /// True when no slot that becomes free can help: no candidate, and none that may still start.
  [[nodiscard]] bool stranded(const Offering& offering, WorkerSet tried) const noexcept;
  /// Why no worker will ever serve this, whatever comes up; nothing = one may.
  [[nodiscard]] std::optional<Refusal> impossible(const Offering& offering,
                                                  WorkerSet tried) const noexcept;

  Slot take(Place place, const Lease& lease, bool rename, TimePoint now);
  /// Its worker is in the fleet and was so all the time: what it tells is about that worker as it
  /// is known now.
  [[nodiscard]] bool is_evidence(const Lease& lease) const;
  /// What the end of a request tells of its worker.
  void learn(const Lease& lease, const Report& report, TimePoint now, Effects& effects);
  void judge_fault(const Lease& lease, const Report& report, TimePoint now);
  /// Gives the slot back, now or when the worker has finished the prompt.
  void release(const Lease& lease, const Report& report, TimePoint now);
  /// The request was given to its worker before that had been silent for suspiciously long.
  [[nodiscard]] bool explains_silence(const Lease& lease) const;
  /// The prompt of a client that left explains its worker's silence.
  void excuse_prompt(const Lease& lease, TimePoint now);
  /// How long the worker may deliver nothing; nothing = it cannot be judged.
  [[nodiscard]] std::optional<Duration> patience(WorkerId worker) const;
  void judge_silence(WorkerId worker, TimePoint now, Effects& effects);
  /// Tells of a new state of the worker, and what it means to those that wait.
  void tell(WorkerId worker, TimePoint now, Effects& effects);
  /// Takes a ticket out of the queue; false when it does not wait.
  bool remove(TicketId ticket);

  /// What time alone brings: the end of the startup grace, settled slots. First step of every call
  /// that has `now`.
  void pass(TimePoint now);
  /// Begins and ends the stranded times of lanes after eligibility changed.
  void restrand(TimePoint now);
  /// Work conservation: gives free slots to the oldest requests that they can serve.
  void grant_waiting(TimePoint now, Effects& effects);
  void refuse_impossible(Effects& effects);
  void refuse_expired(TimePoint now, Effects& effects);
  /// grant_waiting and refuse_expired: the last step of every call that returns Effects.
  void settle(TimePoint now, Effects& effects);

  /// Cheap facts in every build; the whole queue and fleet only where NDEBUG is not defined.
  void check(TimePoint now) const;

  SchedulerOptions options;
  Fleet fleet;
  ModelTable models;
  WaitQueue queue;
  LeaseTable leases;
  FinishRate finish_rate;
  LoadTable loads;
  RetryBudget retries;
  FaultMemory faults;
  /// A load that is not in the table of loads, by the request that waits for it.
  struct WatchedLoad {
    OverdueLoad request;
    TimePoint deadline;
  };
  std::vector<WatchedLoad> watched;
  std::vector<OverdueLoad> overdue;  ///< Not told yet.
  std::uint64_t retries_refused = 0;
  std::uint64_t panic_grants = 0;
  TimePoint startup_end;
  bool startup_over = false;
  bool closed = false;
};

}  // namespace lmb::scheduling
