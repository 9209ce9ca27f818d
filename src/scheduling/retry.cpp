#include "lmb/scheduling/retry.hpp"

#include <algorithm>
#include <chrono>

namespace lmb::scheduling {
namespace {

/// How a failed exchange bears on the next attempt.
enum class Failure : std::uint8_t {
  ours_or_the_clients,  ///< Another worker cannot do better.
  connection_died,      ///< Reset or closed: on a kept-alive connection perhaps just its age.
  the_workers,          ///< Another worker may do better, and this one no longer computes.
};

Failure classify(ErrorKind error) noexcept {
  switch (error) {
    case ErrorKind::send_failed:
    case ErrorKind::worker_closed:
      return Failure::connection_died;
    case ErrorKind::connect_failed:
    case ErrorKind::connect_timeout:
    // It never had the whole request, so it cannot be computing it.
    case ErrorKind::send_timeout:
    // It may compute for nobody when it goes on, but it gets nothing new until it has shown that.
    case ErrorKind::worker_silent:
    case ErrorKind::load_timeout:
    case ErrorKind::bad_response:
    case ErrorKind::model_unavailable:
    case ErrorKind::worker_error:
    case ErrorKind::worker_refused_key:
    case ErrorKind::route_unsupported:
      return Failure::the_workers;
    case ErrorKind::bad_request:
    case ErrorKind::head_too_large:
    case ErrorKind::too_many_headers:
    case ErrorKind::target_too_long:
    case ErrorKind::unsupported_version:
    case ErrorKind::unsupported_transfer_coding:
    case ErrorKind::expectation_failed:
    case ErrorKind::head_timeout:
    case ErrorKind::body_timeout:
    case ErrorKind::length_required:
    case ErrorKind::body_too_large:
    case ErrorKind::bad_chunk:
    case ErrorKind::unsupported_content_coding:
    case ErrorKind::bad_content_coding:
    case ErrorKind::bad_json:
    case ErrorKind::bad_model:
    case ErrorKind::unknown_route:
    case ErrorKind::method_not_allowed:
    case ErrorKind::not_proxied:
    case ErrorKind::loop:
    case ErrorKind::model_not_found:
    case ErrorKind::response_unknown:
    case ErrorKind::response_away:
    case ErrorKind::request_refused:
    case ErrorKind::unauthorized:
    case ErrorKind::client_gone:
    case ErrorKind::client_stalled:
    case ErrorKind::queue_full:
    case ErrorKind::queue_timeout:
    case ErrorKind::no_worker:
    case ErrorKind::body_memory_full:
    case ErrorKind::out_of_memory:
    case ErrorKind::inspections_full:
    case ErrorKind::too_many_connections:
    case ErrorKind::request_timeout:
    case ErrorKind::shutting_down:
    case ErrorKind::internal:
      return Failure::ours_or_the_clients;
  }
  return Failure::ours_or_the_clients;
}

}  // namespace

RetryDecision decide_retry(ErrorKind error, const AttemptHistory& history,
                           const RetryOptions& options, TimePoint now) noexcept {
  // The client has part of an answer: a second one cannot be joined to it.
  if (history.committed) {
    return RetryDecision::give_up;
  }
  if (now >= history.deadline) {
    return RetryDecision::give_up;
  }
  // It did nothing, and says the same each time: that is remembered, so each worker is asked once.
  if (error == ErrorKind::route_unsupported) {
    return RetryDecision::another_worker;
  }
  const Failure failure = classify(error);
  if (failure == Failure::ours_or_the_clients) {
    return RetryDecision::give_up;
  }
  // An agent's tool may have run: twice is not the same as once.
  if (history.acts && history.sent) {
    return RetryDecision::give_up;
  }
  // Workers close kept-alive connections when they please (LM Studio after 5 s), also in the
  // instant of reuse: the request was most likely never read. Once, so that a worker that always
  // closes is found out.
  if (failure == Failure::connection_died && history.connection_reused && !history.answer_begun &&
      !history.reconnected) {
    return RetryDecision::same_worker_fresh_connection;
  }
  return history.attempts < options.attempts_max ? RetryDecision::another_worker
                                                 : RetryDecision::give_up;
}

RetryBudget::RetryBudget(const RetryOptions& options, TimePoint now) noexcept
    : per_request_(options.budget_percent / 100.0),
      per_second_(options.budget_min_per_second),
      most_(std::max(10.0, 10 * per_second_)),
      retries_(most_),
      counted_until_(now) {}

void RetryBudget::pay_in() noexcept {
  retries_ = std::min(most_, retries_ + per_request_);
}

void RetryBudget::give_back() noexcept {
  retries_ = std::min(most_, retries_ + 1);
}

bool RetryBudget::take(TimePoint now) noexcept {
  if (now > counted_until_) {
    const double seconds = std::chrono::duration<double>(now - counted_until_).count();
    retries_ = std::min(most_, retries_ + seconds * per_second_);
    counted_until_ = now;
  }
  if (retries_ < 1) {
    return false;
  }
  retries_ -= 1;
  return true;
}

}  // namespace lmb::scheduling
