#include "worker_metrics.hpp"

#include "buckets.hpp"

namespace lmb::telemetry {
namespace {

/// The first kind that is a worker's doing; the enumeration keeps these at its end.
constexpr auto first_worker_kind = static_cast<std::size_t>(ErrorKind::connect_failed);

/// By WorkerHealth.
constexpr std::array<const char*, 3> health_names{"up", "suspect", "down"};

}  // namespace

WorkerMetrics::WorkerMetrics(Instruments& instruments) {
  create_gauge_families(instruments);
  create_exchange_families(instruments);
  create_health_families(instruments);
}

void WorkerMetrics::set_worker(WorkerId place, const std::string& name) {
  series_.set(place, name, [&] { return make_series(name); });
}

std::unique_ptr<WorkerMetrics::Series> WorkerMetrics::make_series(const std::string& name) {
  auto series = std::make_unique<Series>();
  series->name = name;
  const prometheus::Labels worker{{"worker", name}};
  series->in_flight = &in_flight_->Add(worker);
  series->slots = &slots_->Add(worker);
  series->settling = &settling_->Add(worker);
  series->up = &up_->Add(worker);
  series->suspect = &suspect_->Add(worker);
  series->breaker_open = &breaker_open_->Add(worker);
  series->draining = &draining_->Add(worker);
  series->connections_reused = &connections_total_->Add({{"worker", name}, {"reuse", "reused"}});
  series->connections_fresh = &connections_total_->Add({{"worker", name}, {"reuse", "fresh"}});
  series->probes_ok = &probes_total_->Add({{"worker", name}, {"result", "ok"}});
  series->probes_failed = &probes_total_->Add({{"worker", name}, {"result", "failed"}});
  series->probe_duration = &probe_duration_->Add(worker, buckets::probe_duration());
  for (std::size_t to = 0; to < health_names.size(); ++to) {
    series->transitions[to] =
        &transitions_total_->Add({{"worker", name}, {"to", health_names[to]}});
  }
  for (std::size_t k = first_worker_kind; k < error_kind_count; ++k) {
    const auto kind = static_cast<ErrorKind>(k);
    error_series(*attempt_failures_total_, series->attempt_failures, name, kind);
    error_series(*retries_total_, series->retries, name, kind);
  }
  return series;
}

void WorkerMetrics::create_gauge_families(Instruments& instruments) {
  in_flight_ = &instruments.gauges({"lmbalancer_inflight_requests",
                                    "requests",
                                    "Requests that hold a slot of the worker now.",
                                    {"worker"}});
  slots_ = &instruments.gauges({"lmbalancer_worker_slots",
                                "slots",
                                "Requests the worker may be given at once, over all its instances.",
                                {"worker"}});
  up_ = &instruments.gauges(
      {"lmbalancer_worker_up",
       "0 or 1",
       "1 while the worker is up or suspect, 0 while it is down or was never reached.",
       {"worker"}});
  settling_ = &instruments.gauges(
      {"lmbalancer_worker_settling_slots",
       "slots",
       "Slots still taken by requests whose clients left before the worker answered.",
       {"worker"}});
  suspect_ = &instruments.gauges(
      {"lmbalancer_worker_suspect",
       "0 or 1",
       "1 while the worker is up but its last probe or request failed or its breaker is not "
       "closed: it gets requests when the others are full.",
       {"worker"}});
  breaker_open_ =
      &instruments.gauges({"lmbalancer_worker_breaker_open",
                           "0 or 1",
                           "1 while the worker gets no request, or just one to try, because too "
                           "many in a row failed or it delivered nothing.",
                           {"worker"}});
  draining_ =
      &instruments.gauges({"lmbalancer_worker_draining",
                           "0 or 1",
                           "1 while the worker finishes its requests and gets no new ones, else 0.",
                           {"worker"}});
}

void WorkerMetrics::create_exchange_families(Instruments& instruments) {
  connections_total_ =
      &instruments.counters({"lmbalancer_connections_total",
                             "connections",
                             "Connections taken for an exchange: reused from the pool, or fresh.",
                             {"worker", "reuse"}});
  attempt_failures_total_ = &instruments.counters(
      {"lmbalancer_attempt_failures_total",
       "attempts",
       "Attempts at a worker that failed, by kind of error; after a retry the client saw none of "
       "it.",
       {"worker", "kind"}});
  retries_total_ = &instruments.counters(
      {"lmbalancer_retries_total",
       "attempts",
       "Attempts that were made because one before failed: by the worker that failed and the kind "
       "of its error.",
       {"worker", "kind"}});
}

void WorkerMetrics::create_health_families(Instruments& instruments) {
  probes_total_ =
      &instruments.counters({"lmbalancer_probes_total",
                             "probes",
                             "Probes by result: ok, or failed (no answer in time or a wrong one).",
                             {"worker", "result"}});
  probe_duration_ = &instruments.histograms({"lmbalancer_probe_duration_seconds",
                                             "seconds",
                                             "Duration of the probes that succeeded.",
                                             {"worker"}});
  transitions_total_ =
      &instruments.counters({"lmbalancer_worker_health_transitions_total",
                             "transitions",
                             "Changes of a worker's health, by the state it changed to.",
                             {"worker", "to"}});
}

Counter* WorkerMetrics::error_series(CounterFamily& family, ErrorSeries& series,
                                     const std::string& worker, ErrorKind kind) noexcept {
  return series[static_cast<std::size_t>(kind)].get([&]() -> Counter& {
    return family.Add({{"worker", worker}, {"kind", std::string(to_string(kind))}});
  });
}

void WorkerMetrics::count_attempt_failure(WorkerId worker, ErrorKind error) noexcept {
  Series& series = series_.get(worker);
  auto* counter =
      error_series(*attempt_failures_total_, series.attempt_failures, series.name, error);
  if (counter != nullptr) counter->Increment();
}

void WorkerMetrics::count_retry(WorkerId worker, ErrorKind error) noexcept {
  Series& series = series_.get(worker);
  auto* counter = error_series(*retries_total_, series.retries, series.name, error);
  if (counter != nullptr) counter->Increment();
}

void WorkerMetrics::count_connection(WorkerId worker, bool reused) noexcept {
  Series& series = series_.get(worker);
  (reused ? series.connections_reused : series.connections_fresh)->Increment();
}

void WorkerMetrics::count_probe(WorkerId worker, bool alive, Duration took) noexcept {
  Series& series = series_.get(worker);
  (alive ? series.probes_ok : series.probes_failed)->Increment();
  if (alive) series.probe_duration->Observe(seconds(took));
}

void WorkerMetrics::count_transition(WorkerId worker, WorkerHealth to) noexcept {
  series_.get(worker).transitions[static_cast<std::size_t>(to)]->Increment();
}

void WorkerMetrics::set_gauges(const std::vector<WorkerGauges>& workers) noexcept {
  for (const WorkerGauges& gauges : workers) {
    const Series& series = series_.get(gauges.worker);
    for (Gauge* gauge : {series.in_flight, series.settling, series.slots, series.up, series.suspect,
                         series.breaker_open}) {
      gauge->Set(0);
    }
    series.draining->Set(1);
  }
  for (const WorkerGauges& gauges : workers) {
    const Series& series = series_.get(gauges.worker);
    series.in_flight->Increment(gauges.in_flight);
    series.settling->Increment(gauges.settling);
    if (gauges.retired) continue;
    series.slots->Set(gauges.slots);
    series.up->Set(gauges.up ? 1 : 0);
    series.suspect->Set(gauges.suspect ? 1 : 0);
    series.breaker_open->Set(gauges.breaker_open ? 1 : 0);
    series.draining->Set(gauges.draining ? 1 : 0);
  }
}

}  // namespace lmb::telemetry
