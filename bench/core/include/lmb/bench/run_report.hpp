#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "lmb/bench/load.hpp"
#include "lmb/bench/run_summary.hpp"

namespace lmb::bench {

/// The runs of one invocation: one for each concurrency, in the order in which they ran.
struct RunReport {
  LoadPlan plan;  ///< Its concurrency is that of the last run.
  std::chrono::system_clock::time_point date;
  std::vector<LoadReport> loads;
  std::vector<RunSummary> summaries;  ///< One each load.
};

/// What exit code 0 means: something ran, every request of every run was answered, and no run is
/// interrupted or invalid (ClientCheck::limit).
bool succeeded(const RunReport& report) noexcept;

/// The tables for people, with the definitions in use under them.
std::string render_text(const RunReport& report);

/// One object; each of its `runs` has the keys of vLLM's `bench serve` result (durations `*_ms`,
/// rates per second, arrays such as `ttfts` in seconds) and ours. A percentile with too few samples
/// is null.
std::string render_json(const RunReport& report);

/// One line each request (RFC 4180), times in milliseconds; empty = not reached.
std::string render_csv(const RunReport& report);

}  // namespace lmb::bench
