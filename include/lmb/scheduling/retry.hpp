#pragma once

#include <cstdint>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// All that a retry decision depends on.
struct AttemptHistory {
  /// Attempts made so far, but for same-worker reconnects and workers that lack the route.
  std::uint32_t attempts = 1;
  bool committed = false;          ///< A byte of an answer went to the client.
  bool connection_reused = false;  ///< The failed exchange ran on a kept-alive connection.
  bool answer_begun = false;       ///< At least one byte of the worker's answer arrived.
  bool reconnected = false;        ///< This attempt was already repeated on a fresh connection.
  /// The request has `integrations` or an `mcp` tool: running it twice may do something twice.
  bool acts = false;
  bool sent = true;  ///< At least one byte of the request may have reached the worker.
  TimePoint deadline = TimePoint::max();  ///< The request's own deadline.
};

enum class RetryDecision : std::uint8_t {
  give_up,
  same_worker_fresh_connection,  ///< The kept-alive connection was dead: not the worker's fault, no
                                 ///< attempt spent.
  another_worker,
};

/// All retry rules, in order: never after the commit point; never past the deadline; never after
/// the request's own time-out (the worker may still be computing), but after worker_silent and
/// load_timeout, which are evidence that it is not; a missing route goes to another
/// worker, at no attempt's cost; a request that acts (integrations, MCP tools) never once anything
/// of it was sent; a reused connection that died before any answer byte is repeated once at once on
/// a fresh one; connect failures, send time-outs, resets, closed connections, bad answers, worker
/// faults (429 and 5xx among them) and models that cannot be loaded go to another worker while
/// attempts are left; everything else is final. another_worker must be paid for out of the fleet's
/// budget (Scheduler::take_retry): when that is spent, give up. Part of docs/architecture.md's
/// table; a truth-table test holds it.
RetryDecision decide_retry(ErrorKind error, const AttemptHistory& history,
                           const RetryOptions& options, TimePoint now) noexcept;

/// How many retries a fleet in trouble is asked to bear: a worker that fails everything must not
/// double the load of the others. A bucket: each request pays in budget_percent of a retry, time
/// pays in budget_min_per_second; it holds what ten seconds of the latter bring, or ten retries if
/// that is more. Full at the start. Pure.
class RetryBudget {
 public:
  RetryBudget(const RetryOptions& options, TimePoint now) noexcept;

  /// A request came (its retries do not count).
  void pay_in() noexcept;
  /// Takes one retry out; false when there is none left.
  [[nodiscard]] bool take(TimePoint now) noexcept;
  /// One that was taken and not made.
  void give_back() noexcept;

 private:
  double per_request_;
  double per_second_;
  double most_;
  double retries_;
  TimePoint counted_until_;
};

}  // namespace lmb::scheduling
