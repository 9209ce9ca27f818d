#include "lmb/bench/run_report.hpp"
#include "text_format.hpp"

namespace lmb::bench {
namespace {

using Row = std::vector<std::string>;

constexpr std::string_view none = "-";

std::string mean_cell(const Distribution& of) {
  return of.empty() ? std::string(none) : milliseconds_text(of.mean());
}

/// A percentile, or what it really is when there are too few samples for it.
std::string percentile_cell(const Distribution& of, unsigned percent) {
  if (of.empty()) return std::string(none);
  if (percent == 50 || of.supports(percent)) return milliseconds_text(of.percentile(percent));
  return milliseconds_text(of.max()) + " (max, n=" + std::to_string(of.size()) + ")";
}

std::string heading(const RunReport& report) {
  const LoadPlan& plan = report.plan;
  std::string out = plan.target.origin() + plan.target.base_path + "/chat/completions, model " +
                    plan.model + (plan.stream ? ", streamed" : ", not streamed") + "\n";
  out += "closed loop, prompt of about " + std::to_string(plan.prompt_tokens) +
         " tokens, at most " + counted(plan.max_tokens, "token") + " answered, warm-up " +
         std::to_string(plan.warmup) + ", seed " + std::to_string(plan.seed) + "\n";
  return out;
}

std::string throughput_table(const RunReport& report) {
  std::vector<Row> rows = {{"concurrency", "requests", "success", "req/s", "avg ms", "P50 ms",
                            "P95 ms", "P99 ms", "tokens/s"}};
  for (const RunSummary& run : report.summaries) {
    rows.push_back(
        {std::to_string(run.concurrency), std::to_string(run.requests),
         run.complete + run.failed == 0 ? std::string(none) : percent_text(run.success()),
         short_text(run.request_rate), mean_cell(run.response_time),
         percentile_cell(run.response_time, 50), percentile_cell(run.response_time, 95),
         percentile_cell(run.response_time, 99),
         short_text(run.token_rate) + (run.chunks_counted ? " (chunks)" : "")});
  }
  return table_text(rows);
}

std::string token_table(const RunReport& report) {
  std::vector<Row> rows = {{"concurrency", "TTFT avg ms", "TTFT P50", "TTFT P95", "TPOT avg ms",
                            "TPOT P50", "prompt tokens", "answer tokens"}};
  for (const RunSummary& run : report.summaries) {
    const auto per_answer = [&run](std::uint64_t tokens) {
      if (run.complete == 0 || tokens == 0) return std::string(none);
      return short_text(static_cast<double>(tokens) / static_cast<double>(run.complete));
    };
    rows.push_back({std::to_string(run.concurrency), mean_cell(run.first_token),
                    percentile_cell(run.first_token, 50), percentile_cell(run.first_token, 95),
                    mean_cell(run.time_per_output_token),
                    percentile_cell(run.time_per_output_token, 50), per_answer(run.prompt_tokens),
                    per_answer(run.generated_tokens) + (run.chunks_counted ? " (chunks)" : "")});
  }
  return table_text(rows);
}

std::string worker_lines(const RunSummary& run) {
  if (run.workers.empty()) return "  workers: not told (no x-lmb-worker in the answers)\n";
  std::vector<Row> rows = {{"  worker", "requests", "share", "success", "tokens/s"}};
  const double wall = std::chrono::duration<double>(run.wall).count();
  for (const WorkerShare& worker : run.workers) {
    const std::size_t judged = worker.complete + worker.failed;
    const double success =
        judged == 0 ? 0 : static_cast<double>(worker.complete) / static_cast<double>(judged);
    const double rate = wall > 0 ? static_cast<double>(worker.generated_tokens) / wall : 0;
    rows.push_back({"  " + printable(worker.name), std::to_string(worker.requests),
                    percent_text(worker.share),
                    judged == 0 ? std::string(none) : percent_text(success), short_text(rate)});
  }
  return table_text(rows);
}

std::string failure_lines(const RunSummary& run) {
  std::string out;
  for (const FailureCount& failure : run.failures) {
    out += "  failed: " + failure.label + " " + std::to_string(failure.count);
    if (!failure.example.empty()) out += ", e.g. \"" + printable(failure.example) + "\"";
    out += "\n";
  }
  if (run.aborted > 0) out += "  aborted on purpose: " + std::to_string(run.aborted) + "\n";
  if (run.warmup_failed > 0) {
    out += "  warm-up: " + counted(run.warmup_failed, "request") + " failed\n";
  }
  return out;
}

std::string run_lines(const RunSummary& run) {
  std::string out = "concurrency " + std::to_string(run.concurrency) + "\n";
  if (run.interrupted) out += "  INTERRUPTED: requests in flight were abandoned, not counted\n";
  out += failure_lines(run);
  if (run.requests == 0) return out + "  nothing ran\n";
  out += worker_lines(run);
  out += "  in flight: " + decimal_text(run.in_flight, 2) +
         " on average = " + short_text(run.offered_rate) + " req/s x " +
         milliseconds_text(run.mean_residence) + " ms, over " + counted(run.requests, "request") +
         "\n";
  if (run.queue) {
    out += "  balancer's queue: " + milliseconds_text(run.queue->mean) + " ms on average, " +
           percent_text(run.queue->share_of_wait) +
           (run.first_token.empty() ? " of the response time" : " of TTFT") + ", told by " +
           counted(run.queue->answers, "answer") + "\n";
  }
  out += "  load generator: used " + percent_text(run.check.cpu_share) +
         " of a processor; read events up to " + milliseconds_text(run.check.lag_p99) +
         " ms late at P99, " + milliseconds_text(run.check.lag_max) + " ms at most\n";
  if (!run.check.limit.empty()) {
    out += "  RUN INVALID, the load generator was the limit: " + run.check.limit + "\n";
  }
  return out;
}

constexpr std::string_view definitions =
    R"definitions(Definitions
  req/s, tokens/s  complete requests, and the tokens of their answers, from first start to last end
  success          complete / (complete + failed); aborted requests count neither way
  avg P50 P95 P99  response time of complete requests: from the client's start (with connecting,
                   when the connection is new) to the answer's last byte
  TTFT             from the same start to the first token: content, reasoning or tool call
  TPOT             (last token - first token) / (tokens - 1), one value a request
  percentiles      nearest rank on the raw samples; P95 of fewer than 20 and P99 of fewer than
                   100 samples is only the maximum, and shown as such
  tokens           the server's usage; (chunks): it told none, events with text were counted
  in flight        Little's law: a closed loop shows its concurrency here, less what the tail of
                   the run costs; a table with another number cannot be true
)definitions";

}  // namespace

std::string render_text(const RunReport& report) {
  std::string out = heading(report) + "\n" + throughput_table(report);
  if (report.plan.stream) out += "\n" + token_table(report);
  for (const RunSummary& run : report.summaries) out += "\n" + run_lines(run);
  out += "\n";
  out += definitions;
  return out;
}

}  // namespace lmb::bench
