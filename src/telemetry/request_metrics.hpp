#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "instruments.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "lmb/telemetry/request_record.hpp"
#include "status_code.hpp"

namespace lmb::telemetry {

/// What is counted once per finished request.
class RequestMetrics {
 public:
  /// Arguments as Metrics's constructor takes them.
  RequestMetrics(Instruments& instruments, const std::vector<std::string>& workers,
                 const std::vector<std::string_view>& routes,
                 const std::vector<std::string_view>& balanced_routes);

  void record(const RequestRecord& record) noexcept;

 private:
  /// Series of requests that a worker answered.
  struct WorkerSeries {
    Histogram* time_to_first_token;
    Histogram* time_per_output_token;
    std::array<Counter*, token_source_count> prompt_tokens;
    std::array<Counter*, token_source_count> generated_tokens;
  };

  void create_request_families(Instruments& instruments);
  void create_worker_series(Instruments& instruments);
  void create_byte_series(Instruments& instruments);

  [[nodiscard]] std::size_t route_index(std::string_view route) const noexcept;
  /// `worker` one past the last worker is "none".
  Counter& requests(std::size_t worker, std::size_t route, std::size_t code) noexcept;
  void record_phases(const RequestRecord& record) noexcept;
  void record_bytes(const RequestRecord& record) noexcept;
  void record_error(const RequestRecord& record) noexcept;
  void record_tokens(const RequestRecord& record, const WorkerSeries& worker) noexcept;

  std::vector<std::string> workers_;  ///< The last is "none".
  std::vector<std::string> routes_;   ///< The last is "unknown".

  CounterFamily* requests_total_ = nullptr;
  /// By worker, route and code.
  std::unique_ptr<LazySeries<Counter>[]> requests_;
  std::vector<Histogram*> duration_;
  Histogram* queue_wait_ = nullptr;
  std::array<Histogram*, phase_count> phases_{};
  std::array<Counter*, phase_count> client_disconnects_{};
  std::array<Counter*, error_kind_count> errors_{};
  std::vector<WorkerSeries> worker_series_;
  Counter* bytes_from_client_ = nullptr;
  Counter* bytes_to_client_ = nullptr;
  Counter* bytes_from_worker_ = nullptr;
  Counter* bytes_to_worker_ = nullptr;
};

}  // namespace lmb::telemetry
