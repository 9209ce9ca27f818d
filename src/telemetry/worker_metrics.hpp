#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "instruments.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::telemetry {

/// What is counted about workers apart from finished requests. Members as in Metrics.
class WorkerMetrics {
 public:
  explicit WorkerMetrics(Instruments& instruments);

  void set_worker(WorkerId place, const std::string& name);
  [[nodiscard]] const std::string& name(WorkerId worker) noexcept {
    return series_.get(worker).name;
  }
  void count_attempt_failure(WorkerId worker, ErrorKind error) noexcept;
  void count_retry(WorkerId worker, ErrorKind error) noexcept;
  void count_connection(WorkerId worker, bool reused) noexcept;
  void count_probe(WorkerId worker, bool alive, Duration took) noexcept;
  void count_transition(WorkerId worker, WorkerHealth to) noexcept;
  void set_gauges(const std::vector<WorkerGauges>& workers) noexcept;

 private:
  using ErrorSeries = std::array<LazySeries<Counter>, error_kind_count>;

  struct Series {
    std::string name;
    Gauge* in_flight = nullptr;
    Gauge* slots = nullptr;
    Gauge* settling = nullptr;
    Gauge* up = nullptr;
    Gauge* suspect = nullptr;
    Gauge* breaker_open = nullptr;
    Gauge* draining = nullptr;
    Counter* connections_reused = nullptr;
    Counter* connections_fresh = nullptr;
    Counter* probes_ok = nullptr;
    Counter* probes_failed = nullptr;
    Histogram* probe_duration = nullptr;
    std::array<Counter*, 3> transitions{};  ///< By WorkerHealth.
    ErrorSeries attempt_failures;
    ErrorSeries retries;
  };

  void create_gauge_families(Instruments& instruments);
  void create_exchange_families(Instruments& instruments);
  void create_health_families(Instruments& instruments);
  std::unique_ptr<Series> make_series(const std::string& name);
  static Counter* error_series(CounterFamily& family, ErrorSeries& series,
                               const std::string& worker, ErrorKind kind) noexcept;

  SeriesByWorker<Series> series_;
  GaugeFamily* in_flight_ = nullptr;
  GaugeFamily* slots_ = nullptr;
  GaugeFamily* settling_ = nullptr;
  GaugeFamily* up_ = nullptr;
  GaugeFamily* suspect_ = nullptr;
  GaugeFamily* breaker_open_ = nullptr;
  GaugeFamily* draining_ = nullptr;
  CounterFamily* connections_total_ = nullptr;
  CounterFamily* attempt_failures_total_ = nullptr;
  CounterFamily* retries_total_ = nullptr;
  CounterFamily* probes_total_ = nullptr;
  HistogramFamily* probe_duration_ = nullptr;
  CounterFamily* transitions_total_ = nullptr;
};

}  // namespace lmb::telemetry
