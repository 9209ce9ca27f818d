#pragma once

#include <chrono>

#include "lmb/telemetry/request_record.hpp"

namespace lmb::telemetry {

inline constexpr TimePoint sample_begin = TimePoint(std::chrono::hours(2));

/// A streamed answer of worker 0: 8 s, of which 250 ms read, 250 ms proxy, 500 ms queue, 1 s
/// prefill, 6 s generate; first token at 2 s, 13 tokens, 500 ms each. All are binary fractions of a
/// second, so that sums of them are exact.
inline RequestRecord sample_record() {
  using std::chrono::milliseconds;
  RequestRecord record;
  record.phases = PhaseClock(sample_begin);
  record.phases.enter(Phase::proxy, sample_begin + milliseconds(250));
  record.phases.enter(Phase::queue, sample_begin + milliseconds(500));
  record.phases.enter(Phase::prefill, sample_begin + milliseconds(1000));
  record.phases.enter(Phase::generate, sample_begin + milliseconds(2000));
  record.phases.stop(sample_begin + milliseconds(8000));
  record.route = "/v1/chat/completions";
  record.method = "POST";
  record.request_id = "req-1";
  record.client = "alice";
  record.model = "qwen3-30b-a3b";
  record.worker = WorkerId(0);
  record.attempts = 1;
  record.stream = true;
  record.status = 200;
  record.first_token = sample_begin + milliseconds(2000);
  record.last_token = sample_begin + milliseconds(8000);
  record.prompt_tokens = 100;
  record.generated_tokens = 13;
  record.token_source = TokenSource::usage;
  record.bytes_from_client = 1000;
  record.bytes_to_client = 5000;
  record.bytes_from_worker = 6000;
  record.bytes_to_worker = 900;
  return record;
}

}  // namespace lmb::telemetry
