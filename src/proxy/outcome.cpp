#include "outcome.hpp"

#include "lmb/protocol/api_error.hpp"

namespace lmb::proxy {

scheduling::Outcome outcome_of(ErrorKind error) noexcept {
  const bool an_answer = error == ErrorKind::route_unsupported ||
                         error == ErrorKind::model_unavailable ||
                         error == ErrorKind::request_refused;
  if (an_answer) return scheduling::Outcome::answered;
  // A fault that the worker tells in a well-formed answer may be the prompt's doing: repeated by an
  // SDK on worker after worker, it would empty the fleet. It is tried elsewhere and counted, but it
  // is no evidence of health.
  if (error == ErrorKind::worker_error) return scheduling::Outcome::abandoned;
  return protocol::error_row(error).who == 'W' ? scheduling::Outcome::worker_fault
                                               : scheduling::Outcome::abandoned;
}

void finish_failed(dispatch::Lease& lease, ErrorKind error) noexcept {
  const auto outcome = outcome_of(error);
  if (outcome == scheduling::Outcome::worker_fault) return lease.finish_with_fault(error);
  lease.finish(outcome);
}

}  // namespace lmb::proxy
