#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/bench/request_sample.hpp"
#include "lmb/bench/target.hpp"

namespace lmb::bench {

/// How far a run is.
struct Progress {
  bool warming_up = false;
  std::size_t done = 0;  ///< Of the phase: warm-up, or measured requests.
  std::size_t total = 0;
  std::size_t failed = 0;
  Duration elapsed{};  ///< Of the phase.
};

/// A closed loop: `concurrency` clients, each with one kept-alive connection, send `requests`
/// requests in all; a client sends its next one when its last one ended. Requests differ in nothing
/// but a nonce at the start of the prompt, so that no prefix cache can answer for the model.
struct LoadPlan {
  Target target;
  std::string model;    ///< As the requests name it.
  std::string api_key;  ///< Empty = no Authorization field.
  std::size_t concurrency = 1;
  std::size_t requests = 1;
  std::size_t warmup = 0;  ///< Requests sent before, not measured; never aborted.
  bool stream = true;
  std::uint32_t prompt_tokens =
      128;  ///< About: there is no tokenizer here; the report tells the true count.
  std::uint32_t max_tokens = 128;
  Duration timeout = std::chrono::seconds(600);  ///< Per request, connecting included.

  std::uint64_t seed = 1;  ///< Of everything random but the nonce: the same seed is the same load.
  /// Makes prompts unique between runs of the same seed; the command draws it anew each time.
  std::uint64_t nonce = 0;

  /// Share of the measured requests, 0 to 1, that their client abandons by closing the connection:
  /// drawn by `seed` for each request, then the token at which it leaves, 0 to abort_tokens_max. 0
  /// means without reading a byte, up to abort_delay_max after the request was sent. Answers
  /// without stream are always left that way. An answer that ends before its token came is
  /// complete.
  double abort_share = 0;
  std::uint32_t abort_tokens_max = 16;
  Duration abort_delay_max = std::chrono::milliseconds(20);

  /// Called ten times a second and at the end of each phase, on the thread of run_load.
  std::function<void(const Progress&)> on_progress;
  /// SIGINT and SIGTERM end the run early: requests in flight are abandoned, the report tells so.
  bool catch_signals = false;
};

/// What says whether the load generator itself was the limit.
struct ClientWatch {
  std::vector<Duration> loop_lags;  ///< How late each 10 ms tick of the event loop came.
  Duration cpu{};                   ///< Processor time of the load generator's one thread.
};

struct LoadReport {
  std::size_t concurrency = 0;
  std::size_t requests =
      0;  ///< Asked for; `samples` holds fewer only when the run was interrupted.
  bool stream = true;
  bool interrupted = false;
  Duration wall{};  ///< First start to last end of the measured requests.
  /// One each request, in order of their end. Those that an interruption abandoned are not among
  /// them.
  std::vector<RequestSample> samples;
  std::size_t warmup_failed = 0;
  ClientWatch watch;  ///< Of the measured phase.
};

/// Runs the plan to its end on the calling thread, which it needs for itself. Never fails: every
/// request that does is a sample with its Failure.
LoadReport run_load(const LoadPlan& plan);

/// How many of the plan's requests are to be abandoned, should no answer end before: what a test
/// compares the report with.
std::size_t planned_aborts(const LoadPlan& plan);

}  // namespace lmb::bench
