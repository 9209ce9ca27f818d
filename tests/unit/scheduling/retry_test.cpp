#include "lmb/scheduling/retry.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "story.hpp"

namespace lmb::scheduling {
namespace {

const TimePoint now = TimePoint{} + 1h;

/// The table, written as a person would: kinds that another worker may cure, and of these the ones
/// that the age of a kept-alive connection explains.
const std::set<ErrorKind> curable{
    ErrorKind::connect_failed,     ErrorKind::connect_timeout,   ErrorKind::send_failed,
    ErrorKind::send_timeout,       ErrorKind::worker_closed,     ErrorKind::bad_response,
    ErrorKind::worker_error,       ErrorKind::route_unsupported, ErrorKind::model_unavailable,
    ErrorKind::worker_refused_key, ErrorKind::worker_silent,     ErrorKind::load_timeout};
const std::set<ErrorKind> explained_by_age{ErrorKind::send_failed, ErrorKind::worker_closed};

struct Row {
  ErrorKind error;
  AttemptHistory history;
  bool past_deadline;
};

RetryDecision expected(const Row& row, const RetryOptions& options) {
  const AttemptHistory& history = row.history;
  if (history.committed || row.past_deadline || !curable.contains(row.error)) {
    return RetryDecision::give_up;
  }
  if (row.error == ErrorKind::route_unsupported) {
    return RetryDecision::another_worker;
  }
  if (history.acts && history.sent) {
    return RetryDecision::give_up;
  }
  if (explained_by_age.contains(row.error) && history.connection_reused && !history.answer_begun &&
      !history.reconnected) {
    return RetryDecision::same_worker_fresh_connection;
  }
  return history.attempts < options.attempts_max ? RetryDecision::another_worker
                                                 : RetryDecision::give_up;
}

TEST(Retry, the_whole_truth_table) {
  RetryOptions options;
  options.attempts_max = 3;
  std::map<RetryDecision, int> seen;
  for (std::size_t kind = 0; kind < error_kind_count; ++kind) {
    for (unsigned flags = 0; flags < 128; ++flags) {
      for (std::uint32_t attempts = 1; attempts <= 4; ++attempts) {
        Row row{static_cast<ErrorKind>(kind), {}, (flags & 16U) != 0};
        row.history.attempts = attempts;
        row.history.committed = (flags & 1U) != 0;
        row.history.connection_reused = (flags & 2U) != 0;
        row.history.answer_begun = (flags & 4U) != 0;
        row.history.reconnected = (flags & 8U) != 0;
        row.history.acts = (flags & 32U) != 0;
        row.history.sent = (flags & 64U) != 0;
        row.history.deadline = row.past_deadline ? now : now + 1ns;
        const RetryDecision decision = decide_retry(row.error, row.history, options, now);
        ++seen[decision];
        EXPECT_EQ(decision, expected(row, options))
            << to_string(row.error) << " attempts " << attempts << " flags " << flags;
      }
    }
  }
  // Counted by hand: 2 kinds x 4 attempts on the one row of flags that reconnects; another worker:
  // attempts 1 and 2, not committed, in time: 9 kinds x 8 rows of flags, less the 2 rows that
  // reconnect. All that three times: of acts and sent, not both. A missing route: each row of
  // flags.
  EXPECT_EQ(seen[RetryDecision::same_worker_fresh_connection], 3 * 2 * 4);
  EXPECT_EQ(seen[RetryDecision::another_worker], 3 * 2 * (11 * 8 - 2) + 4 * 32);
}

TEST(Retry, never_after_the_commit_point) {
  AttemptHistory history;
  history.committed = true;
  EXPECT_EQ(decide_retry(ErrorKind::worker_closed, history, {}, now), RetryDecision::give_up);
}

TEST(Retry, never_at_or_past_the_deadline) {
  AttemptHistory history;
  history.deadline = now;
  EXPECT_EQ(decide_retry(ErrorKind::connect_failed, history, {}, now), RetryDecision::give_up);
  history.deadline = now + 1ns;
  EXPECT_EQ(decide_retry(ErrorKind::connect_failed, history, {}, now),
            RetryDecision::another_worker);
}

TEST(Retry, never_while_the_worker_may_still_compute) {
  EXPECT_EQ(decide_retry(ErrorKind::request_timeout, {}, {}, now), RetryDecision::give_up);
}

TEST(Retry, a_stale_connection_costs_no_attempt_but_only_once) {
  AttemptHistory history;
  history.attempts = 3;
  history.connection_reused = true;
  RetryOptions options;
  options.attempts_max = 3;
  EXPECT_EQ(decide_retry(ErrorKind::worker_closed, history, options, now),
            RetryDecision::same_worker_fresh_connection);
  history.reconnected = true;
  EXPECT_EQ(decide_retry(ErrorKind::worker_closed, history, options, now), RetryDecision::give_up);
  history.attempts = 2;
  EXPECT_EQ(decide_retry(ErrorKind::worker_closed, history, options, now),
            RetryDecision::another_worker);
}

TEST(Retry, a_request_that_acts_is_repeated_only_if_nothing_of_it_was_sent) {
  AttemptHistory history;
  history.acts = true;
  history.sent = false;
  EXPECT_EQ(decide_retry(ErrorKind::connect_failed, history, {}, now),
            RetryDecision::another_worker);
  history.sent = true;
  EXPECT_EQ(decide_retry(ErrorKind::worker_error, history, {}, now), RetryDecision::give_up);
  history.connection_reused = true;
  EXPECT_EQ(decide_retry(ErrorKind::worker_closed, history, {}, now), RetryDecision::give_up)
      << "not even on a fresh connection";
}

TEST(RetryBudget, is_a_share_of_the_requests) {
  RetryBudget budget({.budget_percent = 20, .budget_min_per_second = 0}, now);
  int retries = 0;
  for (int request = 0; request < 1000; ++request) {
    budget.pay_in();
    retries += budget.take(now) ? 1 : 0;
  }
  // A fifth of them, and the ten it held at the start.
  EXPECT_NEAR(retries, 210, 1);
}

TEST(RetryBudget, has_a_floor_by_time) {
  RetryBudget budget({.budget_percent = 0, .budget_min_per_second = 3}, now);
  int at_once = 0;
  while (budget.take(now)) {
    ++at_once;
  }
  EXPECT_EQ(at_once, 30);
  int within_ten_seconds = 0;
  for (int i = 1; i <= 1000; ++i) {
    within_ten_seconds += budget.take(now + i * 10ms) ? 1 : 0;
  }
  EXPECT_NEAR(within_ten_seconds, 30, 1);
}

TEST(RetryBudget, gets_back_what_was_not_made) {
  RetryBudget budget({.budget_percent = 0, .budget_min_per_second = 0}, now);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(budget.take(now)) << i;
    budget.give_back();
  }
  budget.give_back();
  int taken = 0;
  while (budget.take(now)) {
    ++taken;
  }
  EXPECT_EQ(taken, 10) << "and never more than it may hold";
}

TEST(RetryBudget, does_not_pile_up) {
  RetryBudget budget({.budget_percent = 100, .budget_min_per_second = 3}, now);
  for (int i = 0; i < 1000; ++i) {
    budget.pay_in();
  }
  int taken = 0;
  while (budget.take(now + 1h)) {
    ++taken;
  }
  EXPECT_EQ(taken, 30);
}

TEST(Retry, one_attempt_means_no_other_worker) {
  RetryOptions once;
  once.attempts_max = 1;
  EXPECT_EQ(decide_retry(ErrorKind::connect_failed, {}, once, now), RetryDecision::give_up);
}

TEST(Retry, the_clients_own_faults_are_final) {
  for (const ErrorKind error : {ErrorKind::client_gone, ErrorKind::bad_json,
                                ErrorKind::model_not_found, ErrorKind::queue_full}) {
    EXPECT_EQ(decide_retry(error, {}, {}, now), RetryDecision::give_up) << to_string(error);
  }
}

}  // namespace
}  // namespace lmb::scheduling
