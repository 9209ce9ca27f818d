#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lmb/bench/distribution.hpp"
#include "lmb/bench/load.hpp"

namespace lmb::bench {

/// What one worker did, told by x-lmb-worker.
struct WorkerShare {
  std::string name;
  std::size_t requests = 0;  ///< Answers that named it, aborted ones included.
  std::size_t complete = 0;
  std::size_t failed = 0;
  std::uint64_t generated_tokens = 0;
  double share = 0;  ///< Of the requests of all workers, 0 to 1.
};

struct FailureCount {
  std::string label;
  std::size_t count = 0;
  std::string example;  ///< What a server said with one of them; may be empty.
};

/// Was the load generator itself the limit?
struct ClientCheck {
  Duration lag_p99{};
  Duration lag_max{};
  double cpu_share = 0;  ///< Of one processor.
  std::string limit;     ///< Why the run is invalid; empty = it is valid.
};

/// The balancer's queue, from Server-Timing.
struct QueueShare {
  std::size_t answers = 0;  ///< That told of it.
  Duration mean{};
  double share_of_wait =
      0;  ///< Of the time to first token, or of the response time without stream.
};

/// The numbers of one run. Times and rates are of complete requests unless it says otherwise;
/// warm-up is in none of them.
struct RunSummary {
  std::size_t concurrency = 0;
  bool stream = true;
  bool interrupted = false;
  Duration wall{};
  std::size_t requests = 0;  ///< complete + failed + aborted
  std::size_t complete = 0;
  std::size_t failed = 0;
  std::size_t aborted = 0;
  std::size_t warmup_failed = 0;

  double request_rate = 0;  ///< Complete requests per second.
  double token_rate = 0;    ///< Generated tokens per second.
  double prompt_token_rate = 0;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t generated_tokens = 0;
  bool chunks_counted = false;  ///< Some token counts are counts of chunks.

  Distribution response_time;
  Distribution first_token;            ///< TTFT
  Distribution time_per_output_token;  ///< TPOT, of answers with 2 tokens or more

  double offered_rate = 0;    ///< All requests per second, whatever became of them.
  Duration mean_residence{};  ///< Mean time in the system of all requests.
  double in_flight = 0;       ///< Little's law: offered_rate x mean_residence.

  std::vector<WorkerShare> workers;    ///< By name.
  std::vector<FailureCount> failures;  ///< Most frequent first.
  std::optional<QueueShare> queue;
  ClientCheck check;

  /// Of complete and failed requests, 0 to 1; aborted ones count neither way. 0 when nothing ran.
  [[nodiscard]] double success() const noexcept;
};

RunSummary summarize(const LoadReport& report);

}  // namespace lmb::bench
