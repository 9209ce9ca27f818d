#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "sim/oracle_picture.hpp"

namespace lmb::history {

/// A second opinion on everything the scheduler says, written as plainly as possible: lists and
/// loops, no sets, no lanes, no speed, no code shared with the scheduler.
///
/// It is told each call with its result, keeps its own picture of the fleet and the queue, and
/// complains about the first thing that the contract in scheduler.hpp does not allow.
class Oracle {
 public:
  Oracle(const scheduling::SchedulerOptions& options,
         const std::vector<scheduling::WorkerSpec>& fleet, TimePoint now);

  void submitted(const scheduling::Demand& demand, const scheduling::Submitted& result,
                 TimePoint now);
  void withdrew(TicketId ticket, bool result);
  void saw_first_token(const scheduling::Slot& slot, const scheduling::Effects& effects,
                       TimePoint now);
  void noted_first_token(const scheduling::Slot& slot);
  void finished(const scheduling::Slot& slot, const scheduling::Report& report,
                const scheduling::Effects& effects, TimePoint now);
  void probed(WorkerId worker, const scheduling::ProbeReport& probe,
              const scheduling::Effects& effects, TimePoint now);
  void offered(WorkerId worker, const scheduling::Offers& offers,
               const scheduling::Effects& effects, TimePoint now);
  void drained(WorkerId worker, bool draining, const scheduling::Effects& effects, TimePoint now);
  void joined(WorkerId place, const scheduling::WorkerSpec& spec,
              const scheduling::Effects& effects, TimePoint now);
  void left(WorkerId worker, const scheduling::Effects& effects, TimePoint now);
  void changed(WorkerId worker, const scheduling::WorkerSpec& spec,
               const scheduling::Effects& effects, TimePoint now);
  void ticked(const scheduling::Effects& effects, TimePoint now);
  void closed(const scheduling::Effects& effects);

  /// The invariants that hold between calls.
  void compare(const scheduling::Scheduler& scheduler);

  /// What was wrong first; nothing = all is well so far.
  [[nodiscard]] const std::optional<std::string>& complaint() const { return complaint_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::uint32_t leases() const;
  [[nodiscard]] bool all_up() const;

 private:
  using Lease = picture::Lease;
  using Settling = picture::Settling;
  using Instance = picture::Instance;
  using Worker = picture::Worker;
  using Waiting = picture::Waiting;

  [[nodiscard]] static std::uint32_t in_flight(const Worker& worker);
  [[nodiscard]] static std::uint32_t occupied(const Worker& worker);
  [[nodiscard]] static std::size_t occupied(const Instance& instance);
  [[nodiscard]] bool shunned(const Worker& worker) const;
  [[nodiscard]] bool admitted(const Worker& worker) const;
  [[nodiscard]] bool has_room(const Worker& worker) const;
  /// What is the same for all instances when a request looks for one.
  struct View {
    std::vector<bool> allowed;  ///< By worker.
    bool fits = false;          ///< A loaded instance's context is long enough.
  };
  [[nodiscard]] View view(const Waiting& request) const;
  [[nodiscard]] static bool fits(const Instance& instance, const Waiting& request);
  [[nodiscard]] static scheduling::WorkerState state(const Worker& worker);
  [[nodiscard]] std::uint32_t slots(const Worker& worker, const Instance& instance) const;
  [[nodiscard]] std::uint32_t slots(const Worker& worker) const;
  [[nodiscard]] static bool understands(const Instance& instance, std::string_view model);
  [[nodiscard]] static bool means(const Instance& instance, std::string_view model);
  [[nodiscard]] bool may_have(std::size_t worker, std::string_view model) const;
  [[nodiscard]] bool usable(std::size_t worker, const Waiting& request) const;
  [[nodiscard]] bool candidate(std::size_t worker, const Waiting& request) const;
  [[nodiscard]] bool eligible(std::size_t worker, const Instance& instance, const Waiting& request,
                              const View& seen) const;
  [[nodiscard]] bool eligible(std::size_t worker, const Waiting& request, const View& seen) const;
  [[nodiscard]] static bool held(const Worker& worker, const Instance& instance);
  [[nodiscard]] bool may_load(std::size_t worker, const Instance& instance,
                              const Waiting& request) const;
  [[nodiscard]] bool load_failed(const Waiting& request) const;
  void see(Worker& worker, const std::string& model);
  void end_load(Worker& worker, const Lease& lease, const scheduling::Report& report);
  void learn_load(Worker& worker, const std::string& model);
  /// An instance that answers as if it were not there is not.
  bool strike(Worker& worker, const std::string& model, const std::string& id);
  void fail_load(Worker& worker, const std::string& model, TimePoint at);
  [[nodiscard]] bool servable(const Waiting& request) const;
  [[nodiscard]] bool stranded(const Waiting& request) const;
  [[nodiscard]] std::optional<scheduling::Refusal> impossible(const Waiting& request) const;
  [[nodiscard]] TimePoint due(const Waiting& request) const;

  void pass(TimePoint now);
  void note_overdue(const Worker& worker, const std::string& model);
  /// Streams that wait for a load which is none of `loads`, by grant.
  void keep_deadlines(WorkerId worker);
  void watch_unloaded(WorkerId worker);
  void end_watched();
  [[nodiscard]] const Lease* find_lease(std::uint64_t grant) const;
  void restrand(TimePoint now);
  void observe(Worker& worker, bool good);
  void succeed(Worker& worker);
  void fault(Worker& worker);
  void learn(Worker& worker, const Lease& lease, const scheduling::Report& report);
  void learn_breaker(Worker& worker, const scheduling::WorkerSnapshot& said, std::size_t number);
  void expect_transition(std::size_t worker, const scheduling::Effects& effects);
  void expect_no_transition(const scheduling::Effects& effects);
  void grant(const Waiting& request, const scheduling::Slot& slot);
  void hold(Worker& worker, Instance& at, const Waiting& by, const scheduling::Slot& s, bool trial);
  void check_slot(const Waiting& request, const scheduling::Slot& slot, const Instance& instance);
  /// Forgets all of the worker but what runs there.
  static Worker without_knowledge(const Worker& worker);
  void compare(const Worker& mine, const scheduling::WorkerSnapshot& said);
  void compare_queue(const scheduling::Scheduler& scheduler);
  void list(Worker& worker, const scheduling::Offers& offers);
  /// Grants in their order, then refusals, then nothing may be left that should have been refused.
  void apply(const scheduling::Effects& effects, TimePoint now);
  void apply_grant(const scheduling::Grant& granted);
  void apply_refusal(const scheduling::RefusedTicket& refused, TimePoint now);
  void complain(const std::string& what);

  scheduling::SchedulerOptions options_;
  std::vector<Worker> workers_;
  std::vector<Waiting> waiting_;  ///< In order of arrival.
  TimePoint startup_end_;
  bool startup_over_ = false;
  bool closed_ = false;
  TimePoint now_;
  std::deque<std::pair<std::uint64_t, TimePoint>> poisons_;  ///< Prompts that were evidence, when.
  TicketId last_ticket_;
  std::map<std::uint64_t, std::pair<WorkerId, TimePoint>> watched_;  ///< Until when.
  scheduling::Effects due_;  ///< What the next effects must tell of overdue and doubted.
  std::optional<std::string> complaint_;
};

}  // namespace lmb::history
