#include "lmb/bench/run_summary.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "text_format.hpp"

namespace lmb::bench {
namespace {

using std::chrono::milliseconds;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double per_second(double amount, Duration wall) {
  return wall > Duration::zero() ? amount / seconds(wall) : 0;
}

/// (last token - first token) / (tokens - 1)
std::optional<Duration> time_per_output_token(const RequestSample& sample) {
  if (!sample.first_token || !sample.last_token || sample.generated_tokens < 2) return std::nullopt;
  return (*sample.last_token - *sample.first_token) /
         static_cast<Duration::rep>(sample.generated_tokens - 1);
}

void take_complete(const LoadReport& report, RunSummary& out) {
  std::vector<Duration> response_time;
  std::vector<Duration> first_token;
  std::vector<Duration> per_token;
  for (const RequestSample& sample : report.samples) {
    if (sample.outcome != Outcome::complete) continue;
    response_time.push_back(sample.end);
    if (sample.first_token) first_token.push_back(*sample.first_token);
    if (const auto time = time_per_output_token(sample)) per_token.push_back(*time);
    out.prompt_tokens += sample.prompt_tokens;
    out.generated_tokens += sample.generated_tokens;
    if (sample.token_source == TokenSource::chunks) out.chunks_counted = true;
  }
  out.response_time = Distribution(std::move(response_time));
  out.first_token = Distribution(std::move(first_token));
  out.time_per_output_token = Distribution(std::move(per_token));
}

void count_outcomes(const LoadReport& report, RunSummary& out) {
  Duration residence{};
  for (const RequestSample& sample : report.samples) {
    residence += sample.end;
    switch (sample.outcome) {
      case Outcome::complete:
        ++out.complete;
        break;
      case Outcome::failed:
        ++out.failed;
        break;
      case Outcome::aborted:
        ++out.aborted;
        break;
    }
  }
  out.requests = report.samples.size();
  if (out.requests == 0) return;
  out.mean_residence = residence / static_cast<Duration::rep>(out.requests);
  out.offered_rate = per_second(static_cast<double>(out.requests), report.wall);
  out.in_flight = out.offered_rate * seconds(out.mean_residence);
}

std::vector<WorkerShare> worker_shares(const LoadReport& report) {
  std::map<std::string, WorkerShare> by_name;
  std::size_t total = 0;
  for (const RequestSample& sample : report.samples) {
    if (sample.worker.empty()) continue;
    WorkerShare& worker = by_name[sample.worker];
    ++total;
    ++worker.requests;
    if (sample.outcome == Outcome::failed) ++worker.failed;
    if (sample.outcome == Outcome::complete) {
      ++worker.complete;
      worker.generated_tokens += sample.generated_tokens;
    }
  }
  std::vector<WorkerShare> out;
  for (auto& [name, worker] : by_name) {
    worker.name = name;
    worker.share = static_cast<double>(worker.requests) / static_cast<double>(total);
    out.push_back(std::move(worker));
  }
  return out;
}

std::vector<FailureCount> failure_counts(const LoadReport& report) {
  std::map<std::string, FailureCount> by_label;
  for (const RequestSample& sample : report.samples) {
    if (sample.outcome != Outcome::failed) continue;
    std::string label = failure_label(sample);
    FailureCount& failure = by_label[label];
    failure.label = std::move(label);
    ++failure.count;
    if (failure.example.empty()) failure.example = sample.error_message;
  }
  std::vector<FailureCount> out;
  for (auto& [label, failure] : by_label) out.push_back(std::move(failure));
  std::stable_sort(out.begin(), out.end(),
                   [](const FailureCount& a, const FailureCount& b) { return a.count > b.count; });
  return out;
}

std::optional<QueueShare> queue_share(const LoadReport& report) {
  QueueShare out;
  Duration queued{};
  Duration waited{};
  for (const RequestSample& sample : report.samples) {
    if (sample.outcome != Outcome::complete || !sample.queue) continue;
    ++out.answers;
    queued += *sample.queue;
    waited += sample.first_token.value_or(sample.end);
  }
  if (out.answers == 0) return std::nullopt;
  out.mean = queued / static_cast<Duration::rep>(out.answers);
  if (waited > Duration::zero()) out.share_of_wait = seconds(queued) / seconds(waited);
  return out;
}

constexpr double cpu_share_max = 0.8;  // Beyond it waiting for the processor shows in every time.
constexpr Duration lag_always_fine = milliseconds(2);
constexpr int lag_part_max = 20;  // 1/20 = 5 % of what is measured.

/// `measured`: the shortest time that the report makes claims about.
ClientCheck check_client(const LoadReport& report, Duration measured) {
  ClientCheck check;
  const Distribution lags(report.watch.loop_lags);
  check.lag_p99 = lags.percentile(99);
  check.lag_max = lags.max();
  check.cpu_share = per_second(seconds(report.watch.cpu), report.wall);
  const Duration lag_limit = std::max(lag_always_fine, measured / lag_part_max);
  if (check.cpu_share > cpu_share_max) {
    check.limit = "it used " + percent_text(check.cpu_share) + " of a processor (limit " +
                  percent_text(cpu_share_max) + ")";
  } else if (!lags.empty() && check.lag_p99 > lag_limit) {
    check.limit = "it read events up to " + milliseconds_text(check.lag_p99) +
                  " ms late at P99 (limit " + milliseconds_text(lag_limit) + " ms)";
  }
  return check;
}

}  // namespace

double RunSummary::success() const noexcept {
  const std::size_t judged = complete + failed;
  return judged == 0 ? 0 : static_cast<double>(complete) / static_cast<double>(judged);
}

RunSummary summarize(const LoadReport& report) {
  RunSummary out;
  out.concurrency = report.concurrency;
  out.stream = report.stream;
  out.interrupted = report.interrupted;
  out.wall = report.wall;
  out.warmup_failed = report.warmup_failed;
  count_outcomes(report, out);
  take_complete(report, out);
  out.request_rate = per_second(static_cast<double>(out.complete), out.wall);
  out.token_rate = per_second(static_cast<double>(out.generated_tokens), out.wall);
  out.prompt_token_rate = per_second(static_cast<double>(out.prompt_tokens), out.wall);
  out.workers = worker_shares(report);
  out.failures = failure_counts(report);
  out.queue = queue_share(report);
  const Distribution& measured = out.first_token.empty() ? out.response_time : out.first_token;
  out.check = check_client(report, measured.percentile(50));
  return out;
}

}  // namespace lmb::bench
