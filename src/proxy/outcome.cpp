#include "outcome.hpp"

#include "lmb/protocol/api_error.hpp"

namespace lmb::proxy {

scheduling::Outcome outcome_of(ErrorKind error) noexcept {
  const bool an_answer = error == ErrorKind::route_unsupported ||
                         error == ErrorKind::model_unavailable ||
                         error == ErrorKind::request_refused;
  if (an_answer) return scheduling::Outcome::answered;
  return protocol::error_row(error).who == 'W' ? scheduling::Outcome::worker_fault
                                               : scheduling::Outcome::abandoned;
}

void finish_failed(dispatch::Lease& lease, ErrorKind error) noexcept {
  const auto outcome = outcome_of(error);
  if (outcome == scheduling::Outcome::worker_fault) return lease.finish_with_fault(error);
  lease.finish(outcome);
}

}  // namespace lmb::proxy
