#pragma once

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/scheduling/retry.hpp"
#include "lmb/scheduling/scheduler.hpp"
#include "sim/chance.hpp"
#include "sim/history_workers.hpp"
#include "sim/oracle.hpp"
#include "sim/timeline.hpp"

namespace lmb::history {

/// What became of the requests of a history.
struct Ends {
  std::uint32_t answered = 0;
  std::uint32_t failed = 0;
  std::uint32_t left = 0;
  std::map<scheduling::Refusal, std::uint32_t> refused;
  std::uint32_t retries = 0;
  std::uint32_t withdrawn_too_late =
      0;  ///< The client left while its grant or refusal was on the way.
  std::uint64_t events = 0;
  std::uint32_t reloads = 0;  ///< Workers that joined, left or changed.
  std::uint32_t orphans = 0;  ///< Requests that ran on a worker when it left.
  std::uint32_t returns = 0;  ///< Workers that came back to requests they still ran.
  [[nodiscard]] std::uint32_t sum() const;
};

/// One seeded story of clients, a fleet with its faults, and the real scheduler between them, on
/// virtual time.
///
/// Plays the dispatcher: effects reach their request after a random delay, in which its client may
/// leave. After each event the oracle is asked; the history stops at its first complaint.
class History {
 public:
  /// `trace` gets a line for each event when not null.
  explicit History(std::uint64_t seed, std::ostream* trace = nullptr);

  /// Nothing when every invariant held and every request ended exactly once; else what was wrong.
  std::optional<std::string> run();
  [[nodiscard]] const Ends& ends() const { return ends_; }

 private:
  enum class Stage : std::uint8_t { waiting, told, running, ended };
  struct Request {
    std::uint32_t number = 0;
    std::string model;
    Stage stage = Stage::waiting;
    bool client_left = false;
    std::optional<TicketId> ticket;
    scheduling::Slot slot;
    std::uint32_t exchange =
        0;  ///< Counts exchanges, so that the end of an old one is known as such.
    TimePoint queue_deadline;
    std::optional<TimePoint> sent;
    std::uint64_t prompt = 0;
    std::uint64_t prompt_tokens = 0;
    bool stream = false;
    scheduling::WorkerSet tried;
    scheduling::AttemptHistory attempt;
  };

  // Clients (history_clients.cpp).
  void plan_arrival();
  void arrive();
  void submit(Request& request);
  void leave(Request& request);
  void deliver_grant(Request& request);
  void deliver_refusal(Request& request, scheduling::Refusal why);
  void begin_exchange(Request& request);
  void end_exchange(Request& request, std::uint32_t life);
  void fail(Request& request, ErrorKind error);
  void end(Request& request, std::uint32_t& count);

  // Fleet (history.cpp).
  void plan_probe(WorkerId worker);
  void probe(WorkerId worker, std::uint32_t stay);
  void plan_fault();
  void fault();
  void make_peace();

  // Reloads (history_reloads.cpp).
  void plan_reload();
  void reload();
  void join(WorkerId place, const scheduling::WorkerSpec& spec);
  void leave(WorkerId worker);
  void change(WorkerId worker);
  [[nodiscard]] std::vector<WorkerId> members() const;

  void tick();
  void plan_tick();
  void close();

  void see_first_token(Request& request, std::uint32_t exchange);
  void finish(Request& request, scheduling::Report report);
  void deliver(const scheduling::Effects& effects);
  void complain(const std::string& what);
  [[nodiscard]] bool at_rest() const;
  [[nodiscard]] std::string check_end() const;
  std::ostream& log();

  [[nodiscard]] TimePoint now() const { return timeline_.now(); }

  Chance chance_;
  std::ostream* trace_;
  Setting setting_;
  Timeline timeline_;
  TimePoint peace_at_;
  scheduling::Scheduler scheduler_;
  Oracle oracle_;
  std::deque<Request> requests_;  ///< References stay valid.
  std::map<TicketId, Request*> by_ticket_;
  bool peace_ = false;
  std::optional<TimePoint> planned_tick_;
  Ends ends_;
  std::optional<std::string> complaint_;
};

}  // namespace lmb::history
