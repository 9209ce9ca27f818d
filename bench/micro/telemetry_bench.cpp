#include <benchmark/benchmark.h>

#include <chrono>
#include <string>

#include "lmb/telemetry/access_log.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::telemetry {
namespace {

/// A streamed answer that went through every phase but connect, as nearly all do.
RequestRecord streamed_answer() {
  using std::chrono::milliseconds;
  const TimePoint begin(std::chrono::hours(2));
  RequestRecord record;
  record.phases = PhaseClock(begin);
  record.phases.enter(Phase::proxy, begin + milliseconds(1));
  record.phases.enter(Phase::queue, begin + milliseconds(2));
  record.phases.enter(Phase::send, begin + milliseconds(900));
  record.phases.enter(Phase::prefill, begin + milliseconds(901));
  record.phases.enter(Phase::generate, begin + milliseconds(2000));
  record.phases.enter(Phase::drain, begin + milliseconds(8000));
  record.phases.stop(begin + milliseconds(8001));
  record.route = "/v1/messages";
  record.method = "POST";
  record.request_id = "0192f0c1-7c3e-7f00-8000-0123456789ab";
  record.model = "qwen/qwen3-30b-a3b-2507";
  record.worker = WorkerId(3);
  record.attempts = 1;
  record.stream = true;
  record.status = 200;
  record.first_token = begin + milliseconds(2000);
  record.last_token = begin + milliseconds(8000);
  record.prompt_tokens = 1234;
  record.generated_tokens = 321;
  record.token_source = TokenSource::usage;
  record.bytes_from_client = 5000;
  record.bytes_to_client = 64000;
  record.bytes_from_worker = 66000;
  record.bytes_to_worker = 5200;
  return record;
}

Metrics& shared_metrics() {
  static Metrics metrics(
      {"mac-1", "mac-2", "mac-3", "mac-4"},
      {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages",
       "/api/v1/chat", "/api/v0/chat/completions", "/api/v0/completions", "/api/v0/embeddings",
       "/v1/models", "/v1/models/{id}", "/healthz", "/readyz", "/metrics"},
      {"bench", "none"}, {"/v1/chat/completions", "/v1/messages"});
  return metrics;
}

void record_request(benchmark::State& state) {
  const RequestRecord record = streamed_answer();
  Metrics& metrics = shared_metrics();
  for (auto _ : state) metrics.record(record);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(record_request)->ThreadRange(1, 2);

void count_connection(benchmark::State& state) {
  Metrics& metrics = shared_metrics();
  for (auto _ : state) metrics.count_connection(WorkerId(1), true);
}
BENCHMARK(count_connection)->ThreadRange(1, 2);

void access_line(benchmark::State& state) {
  const RequestRecord record = streamed_answer();
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_access_line(record, "mac-4", out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(access_line);

void render_scrape(benchmark::State& state) {
  const Metrics& metrics = shared_metrics();
  std::size_t bytes = 0;
  for (auto _ : state) bytes = metrics.render().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(render_scrape)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lmb::telemetry
