#include "request_metrics.hpp"

#include <algorithm>

#include "buckets.hpp"

namespace lmb::telemetry {
namespace {

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

RequestMetrics::RequestMetrics(Instruments& instruments,
                               const std::vector<std::string_view>& routes,
                               const std::vector<std::string_view>& balanced_routes) {
  for (const std::string_view route : routes) {
    if (route != unknown_route) routes_.emplace_back(route);
  }
  routes_.emplace_back(unknown_route);
  for (const std::string_view route : balanced_routes) {
    balanced_routes_.push_back(route_index(route));
  }
  create_request_families(instruments);
  create_worker_families(instruments);
  create_byte_series(instruments);
  none_.name = no_worker;
  none_.requests = make_requests();
}

void RequestMetrics::set_worker(WorkerId place, const std::string& name) {
  workers_.set(place, name, [&] { return make_series(name); });
}

std::unique_ptr<LazySeries<Counter>[]> RequestMetrics::make_requests() const {
  return std::make_unique<LazySeries<Counter>[]>(routes_.size() * status_code::labels.size());
}

std::unique_ptr<RequestMetrics::WorkerSeries> RequestMetrics::make_series(
    const std::string& worker) {
  auto series = std::make_unique<WorkerSeries>();
  series->name = worker;
  series->requests = make_requests();
  const prometheus::Labels labels{{"worker", worker}};
  series->time_to_first_token = &time_to_first_token_->Add(labels, buckets::time_to_first_token());
  series->time_per_output_token =
      &time_per_output_token_->Add(labels, buckets::time_per_output_token());
  series->prompt_tokens = by_source(*prompt_tokens_, worker);
  series->generated_tokens = by_source(*generated_tokens_, worker);
  const std::size_t ok = status_code::index(200);
  for (const std::size_t route : balanced_routes_) requests(*series, route, ok);
  return series;
}

void RequestMetrics::create_request_families(Instruments& instruments) {
  requests_total_ = &instruments.counters(
      {"lmbalancer_requests_total",
       "requests",
       "Finished requests by the last worker tried (none: no worker was reached), route and status "
       "code sent to the client (none: the client got no head).",
       {"worker", "route", "code"}});

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

  saved_tokens_ =
      &instruments
           .counters({"lmbalancer_saved_tokens_total",
                      "tokens",
                      "Estimate of the tokens that were not generated because their client had "
                      "left: how long whole answers are on the average, or max_tokens if that is "
                      "less, without what was generated.",
                      {}})
           .Add({});

  CounterFamily& errors = instruments.counters(
      {"lmbalancer_errors_total",
       "requests",
       "Requests that ended with an error, by its kind; the client saw the error or had left.",
       {"kind"}});
  for (std::size_t i = 0; i < error_kind_count; ++i) {
    errors_[i] = &errors.Add({{"kind", std::string(to_string(static_cast<ErrorKind>(i)))}});
  }
}

void RequestMetrics::create_worker_families(Instruments& instruments) {
  time_to_first_token_ = &instruments.histograms(
      {"lmbalancer_time_to_first_token_seconds",
       "seconds",
       "TTFT: time from the first byte of a request to the first token of its streamed answer, "
       "waiting in the queue included.",
       {"worker"}});
  time_per_output_token_ = &instruments.histograms(
      {"lmbalancer_time_per_output_token_seconds",
       "seconds",
       "TPOT: time from the first to the last token divided by the number of tokens less one, of "
       "each streamed answer with more than one token.",
       {"worker"}});
  prompt_tokens_ =
      &instruments.counters({"lmbalancer_prompt_tokens_total",
                             "tokens",
                             "Prompt tokens, as the worker's usage field told or as estimated.",
                             {"worker", "source"}});
  generated_tokens_ =
      &instruments.counters({"lmbalancer_generation_tokens_total",
                             "tokens",
                             "Generated tokens, as the worker's usage field told or as estimated.",
                             {"worker", "source"}});
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

Counter* RequestMetrics::requests(WorkerSeries& worker, std::size_t route,
                                  std::size_t code) noexcept {
  return worker.requests[route * status_code::labels.size() + code].get([&]() -> Counter& {
    return requests_total_->Add({{"worker", worker.name},
                                 {"route", routes_[route]},
                                 {"code", std::string(status_code::labels[code])}});
  });
}

void RequestMetrics::record(const RequestRecord& record) noexcept {
  WorkerSeries& worker = record.worker ? workers_.get(*record.worker) : none_;
  const std::size_t route = route_index(record.route);
  auto* counter = requests(worker, route, status_code::index(record.status));
  if (counter != nullptr) counter->Increment();
  duration_[route]->Observe(seconds(record.phases.total()));
  record_phases(record);
  record_bytes(record);
  record_error(record);
  if (record.worker) record_tokens(record, worker);
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
    // In the last phase the worker had generated everything.
    const bool all = record.phases.open() == Phase::drain;
    if (!all) add(*saved_tokens_, lengths_.left_of(record.tokens_most, record.generated_tokens));
  }
}

void RequestMetrics::record_tokens(const RequestRecord& record,
                                   const WorkerSeries& worker) noexcept {
  const std::size_t source = index_of(record.token_source);
  add(*worker.prompt_tokens[source], record.prompt_tokens);
  add(*worker.generated_tokens[source], record.generated_tokens);
  if (!record.error && record.generated_tokens > 0) lengths_.note_whole(record.generated_tokens);
  if (const auto first = time_to_first_token(record)) {
    worker.time_to_first_token->Observe(seconds(*first));
  }
  if (const auto rest = time_per_output_token(record)) {
    worker.time_per_output_token->Observe(seconds(*rest));
  }
}

}  // namespace lmb::telemetry
