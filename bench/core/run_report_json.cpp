#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "date_text.hpp"
#include "lmb/bench/run_report.hpp"

namespace lmb::bench {
namespace {

using Object = nlohmann::ordered_json;  // For readers: keys stay in the order written here.

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
double milliseconds(Duration duration) {
  return seconds(duration) * 1000;
}

void add_distribution(const std::string& name, const Distribution& of, Object& out) {
  const auto put = [&](const std::string& statistic, bool known, Duration value) {
    out[statistic + "_" + name + "_ms"] = known ? Object(milliseconds(value)) : Object(nullptr);
  };
  const bool any = !of.empty();
  put("mean", any, of.mean());
  put("median", any, of.percentile(50));
  put("std", any, of.standard_deviation());
  put("min", any, of.min());
  put("max", any, of.max());
  put("p90", any && of.supports(90), of.percentile(90));
  put("p95", any && of.supports(95), of.percentile(95));
  put("p99", any && of.supports(99), of.percentile(99));
  out["n_" + name] = of.size();
}

Object workers_json(const RunSummary& run) {
  Object out = Object::array();
  for (const WorkerShare& worker : run.workers) {
    Object entry;
    entry["name"] = worker.name;
    entry["requests"] = worker.requests;
    entry["share"] = worker.share;
    entry["completed"] = worker.complete;
    entry["failed"] = worker.failed;
    entry["output_tokens"] = worker.generated_tokens;
    out.push_back(std::move(entry));
  }
  return out;
}

Object failures_json(const RunSummary& run) {
  Object out = Object::object();
  for (const FailureCount& failure : run.failures) out[failure.label] = failure.count;
  return out;
}

Object check_json(const ClientCheck& check) {
  Object out;
  out["valid"] = check.limit.empty();
  out["limit"] = check.limit;
  out["loop_lag_p99_ms"] = milliseconds(check.lag_p99);
  out["loop_lag_max_ms"] = milliseconds(check.lag_max);
  out["cpu_share"] = check.cpu_share;
  return out;
}

/// Arrays with one entry for each request, in order of index, as vLLM's --save-detailed writes
/// them.
void add_details(const LoadReport& load, Object& out) {
  std::vector<const RequestSample*> samples(load.samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = &load.samples[i];
  std::sort(samples.begin(), samples.end(),
            [](const auto* a, const auto* b) { return a->index < b->index; });
  for (const char* key : {"start_times", "ttfts", "latencies", "input_lens", "output_lens",
                          "workers", "outcomes", "errors"}) {
    out[key] = Object::array();
  }
  for (const RequestSample* sample : samples) {
    out["start_times"].push_back(seconds(sample->start));
    out["ttfts"].push_back(sample->first_token ? Object(seconds(*sample->first_token))
                                               : Object(nullptr));
    out["latencies"].push_back(seconds(sample->end));
    out["input_lens"].push_back(sample->prompt_tokens);
    out["output_lens"].push_back(sample->generated_tokens);
    out["workers"].push_back(sample->worker);
    out["outcomes"].push_back(to_string(sample->outcome));
    const bool failed = sample->outcome == Outcome::failed;
    out["errors"].push_back(failed ? failure_label(*sample) : std::string());
  }
}

Object run_json(const RunReport& report, std::size_t index) {
  const RunSummary& run = report.summaries[index];
  Object out;
  out["max_concurrency"] = run.concurrency;
  out["num_prompts"] = report.loads[index].requests;
  out["request_rate"] = "inf";
  out["duration"] = seconds(run.wall);
  out["completed"] = run.complete;
  out["failed"] = run.failed;
  out["aborted"] = run.aborted;
  out["interrupted"] = run.interrupted;
  out["success"] = run.success();
  out["total_input_tokens"] = run.prompt_tokens;
  out["total_output_tokens"] = run.generated_tokens;
  out["output_tokens_from"] = run.chunks_counted ? "chunks" : "usage";
  out["request_throughput"] = run.request_rate;
  out["output_throughput"] = run.token_rate;
  out["total_token_throughput"] = run.token_rate + run.prompt_token_rate;
  add_distribution("ttft", run.first_token, out);
  add_distribution("tpot", run.time_per_output_token, out);
  add_distribution("e2el", run.response_time, out);
  out["mean_in_flight"] = run.in_flight;
  out["mean_queue_ms"] = run.queue ? Object(milliseconds(run.queue->mean)) : Object(nullptr);
  out["queue_share_of_ttft"] = run.queue ? Object(run.queue->share_of_wait) : Object(nullptr);
  out["per_worker"] = workers_json(run);
  out["failures"] = failures_json(run);
  out["load_generator"] = check_json(run.check);
  add_details(report.loads[index], out);
  return out;
}

}  // namespace

std::string render_json(const RunReport& report) {
  const LoadPlan& plan = report.plan;
  Object out;
  out["date"] = date_text(report.date);
  out["tool"] = "lmbalancer bench";
  out["url"] = plan.target.origin() + plan.target.base_path;
  out["model_id"] = plan.model;
  out["stream"] = plan.stream;
  out["seed"] = plan.seed;
  out["prompt_tokens"] = plan.prompt_tokens;
  out["max_tokens"] = plan.max_tokens;
  out["num_warmups"] = plan.warmup;
  out["timeout"] = seconds(plan.timeout);
  Object& definitions = out["definitions"];
  definitions["ttft"] = "start (connecting included) to first content, reasoning or tool delta";
  definitions["tpot"] = "(last token - first token) / (tokens - 1), per request";
  definitions["e2el"] = "start to last byte of complete requests";
  definitions["percentiles"] = "nearest rank on raw samples; null = too few samples for it";
  out["runs"] = Object::array();
  for (std::size_t i = 0; i < report.summaries.size(); ++i) {
    out["runs"].push_back(run_json(report, i));
  }
  return out.dump(2, ' ', false, Object::error_handler_t::replace) + "\n";
}

}  // namespace lmb::bench
