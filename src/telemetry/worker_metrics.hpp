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
  WorkerMetrics(Instruments& instruments, const std::vector<std::string>& workers);

  void count_attempt_failure(WorkerId worker, ErrorKind error) noexcept;
  void count_retry(WorkerId worker, ErrorKind error) noexcept;
  void count_connection(WorkerId worker, bool reused) noexcept;
  void count_probe(WorkerId worker, bool alive, Duration took) noexcept;
  void count_transition(WorkerId worker, WorkerHealth to) noexcept;
  void set_gauges(const std::vector<WorkerGauges>& workers) noexcept;

 private:
  using ErrorSeries = std::array<LazySeries<Counter>, error_kind_count>;

  struct Series {
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

  void create_gauges(Instruments& instruments);
  void create_exchange_series(Instruments& instruments);
  void create_health_series(Instruments& instruments);
  Series& at(WorkerId worker) noexcept;
  Counter& error_series(CounterFamily& family, ErrorSeries& series, WorkerId worker,
                        ErrorKind kind) noexcept;

  std::vector<std::string> workers_;
  std::unique_ptr<Series[]> series_;
  CounterFamily* attempt_failures_total_ = nullptr;
  CounterFamily* retries_total_ = nullptr;
};

}  // namespace lmb::telemetry
