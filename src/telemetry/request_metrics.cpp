#include "request_metrics.hpp"

#include <algorithm>

#include "buckets.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::telemetry {
namespace {

constexpr const char* no_worker = "none";
/// RequestRecord's default route.
constexpr const char* unknown_route = "unknown";

std::size_t index_of(Phase phase) noexcept {
  return static_cast<std::size_t>(phase);
}
std::size_t index_of(ErrorKind kind) noexcept {
  return static_cast<std::size_t>(kind);
}
std::size_t index_of(TokenSource source) noexcept {
  return static_cast<std::size_t>(source);
}

void add(Counter& counter, std::uint64_t amount) noexcept {
  if (amount > 0) counter.Increment(static_cast<double>(amount));
}

std::array<Counter*, token_source_count> by_source(CounterFamily& family,
                                                   const std::string& worker) {
  std::array<Counter*, token_source_count> series{};
  for (const TokenSource source : {TokenSource::usage, TokenSource::estimate}) {
    series[index_of(source)] =
        &family.Add({{"worker", worker}, {"source", std::string(to_string(source))}});
  }
  return series;
}

}  // namespace

RequestMetrics::RequestMetrics(Instruments& instruments, const std::vector<std::string>& workers,
                               const std::vector<std::string_view>& routes,
                               const std::vector<std::string_view>& balanced_routes)
    : workers_(workers) {
  workers_.emplace_back(no_worker);
  for (const std::string_view route : routes) {
    if (route != unknown_route) routes_.emplace_back(route);
  }
  routes_.emplace_back(unknown_route);

  create_request_families(instruments);
  create_worker_series(instruments);
  create_byte_series(instruments);

  const std::size_t ok = status_code::index(200);
  for (std::size_t worker = 0; worker < workers.size(); ++worker) {
    for (const std::string_view route : balanced_routes) requests(worker, route_index(route), ok);
  }
}

void RequestMetrics::create_request_families(Instruments& instruments) {
  requests_total_ = &instruments.counters(
      {"lmbalancer_requests_total",
       "requests",
       "Finished requests by the last worker tried (none: no worker was reached), route and status "
       "code sent to the client (none: the client got no head).",
       {"worker", "route", "code"}});
  requests_ = std::make_unique<LazySeries<Counter>[]>(workers_.size() * routes_.size() *
                                                      status_code::labels.size());

  HistogramFamily& duration = instruments.histograms(
      {"lmbalancer_request_duration_seconds",
       "seconds",
       "Time from the first byte of a request to the last byte of its answer.",
       {"route"}});
  for (const std::string& route : routes_) {
    duration_.push_back(&duration.Add({{"route", route}}, buckets::request_duration()));
  }

  queue_wait_ = &instruments
                     .histograms({"lmbalancer_queue_wait_seconds",
                                  "seconds",
                                  "Time spent waiting for a slot, of each request that asked for "
                                  "one: 0 when a slot was free at once.",
                                  {}})
                     .Add({}, buckets::queue_wait());

  HistogramFamily& phase = instruments.histograms(
      {"lmbalancer_phase_duration_seconds",
       "seconds",
       "Time spent in each phase that a request entered. The phases of a request add up to its "
       "request duration.",
       {"phase"}});
  CounterFamily& disconnects = instruments.counters(
      {"lmbalancer_client_disconnects_total",
       "requests",
       "Requests whose client left before the answer was complete, by the phase it left in.",
       {"phase"}});
  for (std::size_t i = 0; i < phase_count; ++i) {
    const std::string name(to_string(static_cast<Phase>(i)));
    phases_[i] = &phase.Add({{"phase", name}}, buckets::phase_duration());
    client_disconnects_[i] = &disconnects.Add({{"phase", name}});
  }

  CounterFamily& errors = instruments.counters(
      {"lmbalancer_errors_total",
       "requests",
       "Requests that ended with an error, by its kind; the client saw the error or had left.",
       {"kind"}});
  for (std::size_t i = 0; i < error_kind_count; ++i) {
    errors_[i] = &errors.Add({{"kind", std::string(to_string(static_cast<ErrorKind>(i)))}});
  }
}

void RequestMetrics::create_worker_series(Instruments& instruments) {
  HistogramFamily& first = instruments.histograms(
      {"lmbalancer_time_to_first_token_seconds",
       "seconds",
       "TTFT: time from the first byte of a request to the first token of its streamed answer, "
       "waiting in the queue included.",
       {"worker"}});
  HistogramFamily& rest = instruments.histograms(
      {"lmbalancer_time_per_output_token_seconds",
       "seconds",
       "TPOT: time from the first to the last token divided by the number of tokens less one, of "
       "each streamed answer with more than one token.",
       {"worker"}});
  CounterFamily& prompt =
      instruments.counters({"lmbalancer_prompt_tokens_total",
                            "tokens",
                            "Prompt tokens, as the worker's usage field told or as estimated.",
                            {"worker", "source"}});
  CounterFamily& generated =
      instruments.counters({"lmbalancer_generation_tokens_total",
                            "tokens",
                            "Generated tokens, as the worker's usage field told or as estimated.",
                            {"worker", "source"}});
  for (std::size_t i = 0; i + 1 < workers_.size(); ++i) {
    const std::string& worker = workers_[i];
    worker_series_.push_back({&first.Add({{"worker", worker}}, buckets::time_to_first_token()),
                              &rest.Add({{"worker", worker}}, buckets::time_per_output_token()),
                              by_source(prompt, worker), by_source(generated, worker)});
  }
}

void RequestMetrics::create_byte_series(Instruments& instruments) {
  CounterFamily& bytes = instruments.counters(
      {"lmbalancer_bytes_total",
       "bytes",
       "Bytes of requests and answers by the peer at the other end and the direction seen from "
       "the balancer.",
       {"peer", "direction"}});
  bytes_from_client_ = &bytes.Add({{"peer", "client"}, {"direction", "in"}});
  bytes_to_client_ = &bytes.Add({{"peer", "client"}, {"direction", "out"}});
  bytes_from_worker_ = &bytes.Add({{"peer", "worker"}, {"direction", "in"}});
  bytes_to_worker_ = &bytes.Add({{"peer", "worker"}, {"direction", "out"}});
}

std::size_t RequestMetrics::route_index(std::string_view route) const noexcept {
  const auto found = std::find(routes_.begin(), routes_.end() - 1, route);
  return static_cast<std::size_t>(found - routes_.begin());
}

Counter& RequestMetrics::requests(std::size_t worker, std::size_t route,
                                  std::size_t code) noexcept {
  const std::size_t row = worker * routes_.size() + route;
  return requests_[row * status_code::labels.size() + code].get([&]() -> Counter& {
    return requests_total_->Add({{"worker", workers_[worker]},
                                 {"route", routes_[route]},
                                 {"code", std::string(status_code::labels[code])}});
  });
}

void RequestMetrics::record(const RequestRecord& record) noexcept {
  const std::size_t none = worker_series_.size();
  const std::size_t worker = record.worker ? record.worker->value() : none;
  LMB_ASSERT(worker <= none);
  const std::size_t route = route_index(record.route);
  requests(worker, route, status_code::index(record.status)).Increment();
  duration_[route]->Observe(seconds(record.phases.total()));
  record_phases(record);
  record_bytes(record);
  record_error(record);
  if (worker != none) record_tokens(record, worker_series_[worker]);
}

void RequestMetrics::record_phases(const RequestRecord& record) noexcept {
  for (std::size_t i = 0; i < phase_count; ++i) {
    const Duration spent = record.phases.spent(static_cast<Phase>(i));
    if (spent > Duration::zero()) phases_[i]->Observe(seconds(spent));
  }
  const Duration waited = record.phases.spent(Phase::queue);
  if (record.attempts > 0 || waited > Duration::zero()) queue_wait_->Observe(seconds(waited));
}

void RequestMetrics::record_bytes(const RequestRecord& record) noexcept {
  add(*bytes_from_client_, record.bytes_from_client);
  add(*bytes_to_client_, record.bytes_to_client);
  add(*bytes_from_worker_, record.bytes_from_worker);
  add(*bytes_to_worker_, record.bytes_to_worker);
}

void RequestMetrics::record_error(const RequestRecord& record) noexcept {
  if (!record.error) return;
  errors_[index_of(*record.error)]->Increment();
  if (*record.error == ErrorKind::client_gone) {
    client_disconnects_[index_of(record.phases.open())]->Increment();
  }
}

void RequestMetrics::record_tokens(const RequestRecord& record,
                                   const WorkerSeries& worker) noexcept {
  const std::size_t source = index_of(record.token_source);
  add(*worker.prompt_tokens[source], record.prompt_tokens);
  add(*worker.generated_tokens[source], record.generated_tokens);
  if (const auto first = time_to_first_token(record)) {
    worker.time_to_first_token->Observe(seconds(*first));
  }
  if (const auto rest = time_per_output_token(record)) {
    worker.time_per_output_token->Observe(seconds(*rest));
  }
}

}  // namespace lmb::telemetry
