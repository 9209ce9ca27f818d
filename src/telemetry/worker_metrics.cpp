#include "worker_metrics.hpp"

#include "buckets.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::telemetry {
namespace {

/// The first kind that is a worker's doing; the enumeration keeps these at its end.
constexpr auto first_worker_kind = static_cast<std::size_t>(ErrorKind::connect_failed);

/// By WorkerHealth.
constexpr std::array<const char*, 3> health_names{"up", "suspect", "down"};

}  // namespace

WorkerMetrics::WorkerMetrics(Instruments& instruments, const std::vector<std::string>& workers)
    : workers_(workers), series_(std::make_unique<Series[]>(workers.size())) {
  create_gauges(instruments);
  create_exchange_series(instruments);
  create_health_series(instruments);
}

void WorkerMetrics::create_gauges(Instruments& instruments) {
  GaugeFamily& in_flight = instruments.gauges({"lmbalancer_inflight_requests",
                                               "requests",
                                               "Requests that hold a slot of the worker now.",
                                               {"worker"}});
  GaugeFamily& slots =
      instruments.gauges({"lmbalancer_worker_slots",
                          "slots",
                          "Requests the worker may be given at once, over all its instances.",
                          {"worker"}});
  GaugeFamily& up = instruments.gauges(
      {"lmbalancer_worker_up",
       "0 or 1",
       "1 while the worker is up or suspect, 0 while it is down or was never reached.",
       {"worker"}});
  GaugeFamily& settling = instruments.gauges(
      {"lmbalancer_worker_settling_slots",
       "slots",
       "Slots still taken by requests whose clients left before the worker answered.",
       {"worker"}});
  GaugeFamily& suspect = instruments.gauges(
      {"lmbalancer_worker_suspect",
       "0 or 1",
       "1 while the worker is up but its last probe or request failed or its breaker is not "
       "closed: it gets requests when the others are full.",
       {"worker"}});
  GaugeFamily& breaker_open =
      instruments.gauges({"lmbalancer_worker_breaker_open",
                          "0 or 1",
                          "1 while the worker gets no request, or just one to try, because too "
                          "many in a row failed or it delivered nothing.",
                          {"worker"}});
  GaugeFamily& draining =
      instruments.gauges({"lmbalancer_worker_draining",
                          "0 or 1",
                          "1 while the worker finishes its requests and gets no new ones, else 0.",
                          {"worker"}});
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const prometheus::Labels labels{{"worker", workers_[i]}};
    series_[i].in_flight = &in_flight.Add(labels);
    series_[i].slots = &slots.Add(labels);
    series_[i].settling = &settling.Add(labels);
    series_[i].up = &up.Add(labels);
    series_[i].suspect = &suspect.Add(labels);
    series_[i].breaker_open = &breaker_open.Add(labels);
    series_[i].draining = &draining.Add(labels);
  }
}

void WorkerMetrics::create_exchange_series(Instruments& instruments) {
  CounterFamily& connections =
      instruments.counters({"lmbalancer_connections_total",
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
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Series& series = series_[i];
    const WorkerId worker(static_cast<std::uint32_t>(i));
    series.connections_reused = &connections.Add({{"worker", workers_[i]}, {"reuse", "reused"}});
    series.connections_fresh = &connections.Add({{"worker", workers_[i]}, {"reuse", "fresh"}});
    for (std::size_t k = first_worker_kind; k < error_kind_count; ++k) {
      const auto kind = static_cast<ErrorKind>(k);
      error_series(*attempt_failures_total_, series.attempt_failures, worker, kind);
      error_series(*retries_total_, series.retries, worker, kind);
    }
  }
}

void WorkerMetrics::create_health_series(Instruments& instruments) {
  CounterFamily& probes =
      instruments.counters({"lmbalancer_probes_total",
                            "probes",
                            "Probes by result: ok, or failed (no answer in time or a wrong one).",
                            {"worker", "result"}});
  HistogramFamily& probe_duration =
      instruments.histograms({"lmbalancer_probe_duration_seconds",
                              "seconds",
                              "Duration of the probes that succeeded.",
                              {"worker"}});
  CounterFamily& transitions =
      instruments.counters({"lmbalancer_worker_health_transitions_total",
                            "transitions",
                            "Changes of a worker's health, by the state it changed to.",
                            {"worker", "to"}});
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Series& series = series_[i];
    const std::string& worker = workers_[i];
    series.probes_ok = &probes.Add({{"worker", worker}, {"result", "ok"}});
    series.probes_failed = &probes.Add({{"worker", worker}, {"result", "failed"}});
    series.probe_duration = &probe_duration.Add({{"worker", worker}}, buckets::probe_duration());
    for (std::size_t to = 0; to < health_names.size(); ++to) {
      series.transitions[to] = &transitions.Add({{"worker", worker}, {"to", health_names[to]}});
    }
  }
}

WorkerMetrics::Series& WorkerMetrics::at(WorkerId worker) noexcept {
  LMB_ASSERT(worker.value() < workers_.size());
  return series_[worker.value()];
}

Counter& WorkerMetrics::error_series(CounterFamily& family, ErrorSeries& series, WorkerId worker,
                                     ErrorKind kind) noexcept {
  return series[static_cast<std::size_t>(kind)].get([&]() -> Counter& {
    return family.Add(
        {{"worker", workers_[worker.value()]}, {"kind", std::string(to_string(kind))}});
  });
}

void WorkerMetrics::count_attempt_failure(WorkerId worker, ErrorKind error) noexcept {
  error_series(*attempt_failures_total_, at(worker).attempt_failures, worker, error).Increment();
}

void WorkerMetrics::count_retry(WorkerId worker, ErrorKind error) noexcept {
  error_series(*retries_total_, at(worker).retries, worker, error).Increment();
}

void WorkerMetrics::count_connection(WorkerId worker, bool reused) noexcept {
  Series& series = at(worker);
  (reused ? series.connections_reused : series.connections_fresh)->Increment();
}

void WorkerMetrics::count_probe(WorkerId worker, bool alive, Duration took) noexcept {
  Series& series = at(worker);
  (alive ? series.probes_ok : series.probes_failed)->Increment();
  if (alive) series.probe_duration->Observe(seconds(took));
}

void WorkerMetrics::count_transition(WorkerId worker, WorkerHealth to) noexcept {
  at(worker).transitions[static_cast<std::size_t>(to)]->Increment();
}

void WorkerMetrics::set_gauges(const std::vector<WorkerGauges>& workers) noexcept {
  for (const WorkerGauges& gauges : workers) {
    Series& series = at(gauges.worker);
    series.in_flight->Set(gauges.in_flight);
    series.slots->Set(gauges.slots);
    series.settling->Set(gauges.settling);
    series.up->Set(gauges.up ? 1 : 0);
    series.suspect->Set(gauges.suspect ? 1 : 0);
    series.breaker_open->Set(gauges.breaker_open ? 1 : 0);
    series.draining->Set(gauges.draining ? 1 : 0);
  }
}

}  // namespace lmb::telemetry
