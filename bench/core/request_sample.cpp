#include "lmb/bench/request_sample.hpp"

namespace lmb::bench {

std::string failure_label(const RequestSample& sample) {
  if (sample.failure == Failure::http_status) return "http_" + std::to_string(sample.status);
  return std::string(to_string(sample.failure));
}

std::string_view to_string(Failure failure) noexcept {
  switch (failure) {
    case Failure::none:
      return "none";
    case Failure::not_resolved:
      return "not_resolved";
    case Failure::connect_failed:
      return "connect_failed";
    case Failure::timeout:
      return "timeout";
    case Failure::send_failed:
      return "send_failed";
    case Failure::closed_before_answer:
      return "closed_before_answer";
    case Failure::cut_answer:
      return "cut_answer";
    case Failure::bad_answer:
      return "bad_answer";
    case Failure::http_status:
      return "http_status";
    case Failure::no_such_route:
      return "no_such_route";
    case Failure::stream_error:
      return "stream_error";
    case Failure::unfinished_stream:
      return "unfinished_stream";
    case Failure::no_token:
      return "no_token";
  }
  return "none";
}

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::complete:
      return "complete";
    case Outcome::failed:
      return "failed";
    case Outcome::aborted:
      return "aborted";
  }
  return "failed";
}

std::string_view to_string(TokenSource source) noexcept {
  switch (source) {
    case TokenSource::none:
      return "none";
    case TokenSource::usage:
      return "usage";
    case TokenSource::chunks:
      return "chunks";
  }
  return "none";
}

}  // namespace lmb::bench
