#pragma once

#include <cstdint>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// All that a retry decision depends on.
struct AttemptHistory {
  std::uint32_t attempts = 1;      ///< Attempts made so far, not counting same-worker reconnects.
  bool committed = false;          ///< A byte of an answer went to the client.
  bool connection_reused = false;  ///< The failed exchange ran on a kept-alive connection.
  bool answer_begun = false;       ///< At least one byte of the worker's answer arrived.
  bool reconnected = false;        ///< This attempt was already repeated on a fresh connection.
  TimePoint deadline = TimePoint::max();  ///< The request's own deadline.
};

enum class RetryDecision : std::uint8_t {
  give_up,
  same_worker_fresh_connection,  ///< The kept-alive connection was dead: not the worker's fault, no
                                 ///< attempt spent.
  another_worker,
};

/// All retry rules, in order: never after the commit point; never past the deadline; never after a
/// head or token timeout (the worker may still be computing); a reused connection that died before
/// any answer byte is repeated once at once on a fresh one; connect failures, send time-outs,
/// resets, closed connections, bad answers, worker faults and missing routes go to another worker
/// while attempts are left; everything else is final. Part of docs/architecture.md's table; a
/// truth-table test holds it.
RetryDecision decide_retry(ErrorKind error, const AttemptHistory& history,
                           const RetryOptions& options, TimePoint now) noexcept;

}  // namespace lmb::scheduling
