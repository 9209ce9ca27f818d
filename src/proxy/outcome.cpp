#include "outcome.hpp"

#include <utility>

#include "lmb/protocol/api_error.hpp"

namespace lmb::proxy {

namespace {

/// LM Studio's words for a name that is nothing to this route, such as a chat model's for
/// embeddings: those who ask for it rightly must not suffer.
bool refuses_name(const Error& error) noexcept {
  return error.detail().starts_with("Invalid model identifier");
}

}  // namespace

bool tells_gone(const scheduling::Slot& slot, const Error& error) noexcept {
  const std::string& words = error.detail();
  return error.kind() == ErrorKind::model_unavailable && !slot.cold &&
         (words.starts_with("Model is unloaded") || words.starts_with("Model unloaded") ||
          words.starts_with("No models loaded"));
}

scheduling::Outcome outcome_of(ErrorKind error) noexcept {
  const bool an_answer =
      error == ErrorKind::route_unsupported || error == ErrorKind::request_refused;
  if (error == ErrorKind::model_unavailable) return scheduling::Outcome::model_unavailable;
  // Its probes tell whether it lives; that load has been counted as failed already.
  if (error == ErrorKind::load_timeout) return scheduling::Outcome::abandoned;
  if (an_answer) return scheduling::Outcome::answered;
  return protocol::error_row(error).who == 'W' ? scheduling::Outcome::worker_fault
                                               : scheduling::Outcome::abandoned;
}

bool tells_more(ErrorKind failure, ErrorKind refusal) noexcept {
  if (refusal == ErrorKind::no_worker) return true;
  // Who is left serves the route, and will have the model at some time.
  return refusal == ErrorKind::model_unavailable && failure != ErrorKind::route_unsupported;
}

void finish_failed(dispatch::Lease& lease, const Error& error, std::uint64_t prompt) noexcept {
  const auto outcome = outcome_of(error.kind());
  // A fault that the worker tells in a well-formed answer may be the prompt's doing: repeated by an
  // SDK on worker after worker, it would empty the fleet. Without the prompt it is no evidence.
  const bool unknown_prompt = error.kind() == ErrorKind::worker_error && prompt == 0;
  if (outcome == scheduling::Outcome::worker_fault && !unknown_prompt) {
    return lease.finish_with_fault(error.kind(), prompt);
  }
  scheduling::Report report(unknown_prompt ? scheduling::Outcome::abandoned : outcome);
  report.by_model = false;
  if (outcome == scheduling::Outcome::model_unavailable) {
    report.load_error = error.detail();
    report.load_tried = !refuses_name(error);
  }
  lease.finish(std::move(report));
}

}  // namespace lmb::proxy
