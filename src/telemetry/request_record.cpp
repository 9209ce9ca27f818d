#include "lmb/telemetry/request_record.hpp"

namespace lmb::telemetry {

std::string_view to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::read:
      return "read";
    case Phase::proxy:
      return "proxy";
    case Phase::queue:
      return "queue";
    case Phase::connect:
      return "connect";
    case Phase::send:
      return "send";
    case Phase::prefill:
      return "prefill";
    case Phase::generate:
      return "generate";
    case Phase::drain:
      return "drain";
  }
  return "proxy";
}

char phase_letter(Phase phase) noexcept {
  switch (phase) {
    case Phase::read:
      return 'R';
    case Phase::proxy:
      return 'P';
    case Phase::queue:
      return 'Q';
    case Phase::connect:
      return 'C';
    case Phase::send:
      return 'S';
    case Phase::prefill:
      return 'H';
    case Phase::generate:
      return 'D';
    case Phase::drain:
      return 'L';
  }
  return 'P';
}

std::string_view to_string(TokenSource source) noexcept {
  switch (source) {
    case TokenSource::usage:
      return "usage";
    case TokenSource::estimate:
      return "estimate";
  }
  return "estimate";
}

std::optional<Duration> time_to_first_token(const RequestRecord& record) noexcept {
  if (!record.first_token) return std::nullopt;
  return *record.first_token - record.phases.begun();
}

std::optional<Duration> time_per_output_token(const RequestRecord& record) noexcept {
  if (!record.first_token || !record.last_token || record.generated_tokens < 2) {
    return std::nullopt;
  }
  const auto steps = static_cast<Duration::rep>(record.generated_tokens - 1);
  return (*record.last_token - *record.first_token) / steps;
}

}  // namespace lmb::telemetry
