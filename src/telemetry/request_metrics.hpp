#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "answer_lengths.hpp"
#include "instruments.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "lmb/telemetry/request_record.hpp"
#include "status_code.hpp"

namespace lmb::telemetry {

/// What is counted once per finished request.
class RequestMetrics {
 public:
  /// The label of requests that reached no worker.
  static constexpr const char* no_worker = "none";

  /// Arguments as Metrics's constructor takes them.
  RequestMetrics(Instruments& instruments, const std::vector<std::string_view>& routes,
                 const std::vector<std::string_view>& balanced_routes);

  void set_worker(WorkerId place, const std::string& name);
  void record(const RequestRecord& record) noexcept;

 private:
  /// Series of requests that reached one worker, or none: then there are `requests` only.
  struct WorkerSeries {
    std::string name;
    std::unique_ptr<LazySeries<Counter>[]> requests;  ///< By route and code.
    Histogram* time_to_first_token = nullptr;
    Histogram* time_per_output_token = nullptr;
    std::array<Counter*, token_source_count> prompt_tokens{};
    std::array<Counter*, token_source_count> generated_tokens{};
  };

  void create_request_families(Instruments& instruments);
  void create_worker_families(Instruments& instruments);
  void create_byte_series(Instruments& instruments);

  [[nodiscard]] std::size_t route_index(std::string_view route) const noexcept;
  [[nodiscard]] std::unique_ptr<LazySeries<Counter>[]> make_requests() const;
  std::unique_ptr<WorkerSeries> make_series(const std::string& worker);
  Counter* requests(WorkerSeries& worker, std::size_t route, std::size_t code) noexcept;
  void record_phases(const RequestRecord& record) noexcept;
  void record_bytes(const RequestRecord& record) noexcept;
  void record_error(const RequestRecord& record) noexcept;
  void record_tokens(const RequestRecord& record, const WorkerSeries& worker) noexcept;

  std::vector<std::string> routes_;           ///< The last is "unknown".
  std::vector<std::size_t> balanced_routes_;  ///< Of these.

  CounterFamily* requests_total_ = nullptr;
  std::vector<Histogram*> duration_;
  Histogram* queue_wait_ = nullptr;
  Counter* saved_tokens_ = nullptr;
  AnswerLengths lengths_;
  std::array<Histogram*, phase_count> phases_{};
  std::array<Counter*, phase_count> client_disconnects_{};
  std::array<Counter*, error_kind_count> errors_{};
  HistogramFamily* time_to_first_token_ = nullptr;
  HistogramFamily* time_per_output_token_ = nullptr;
  CounterFamily* prompt_tokens_ = nullptr;
  CounterFamily* generated_tokens_ = nullptr;
  SeriesByWorker<WorkerSeries> workers_;
  WorkerSeries none_;
  Counter* bytes_from_client_ = nullptr;
  Counter* bytes_to_client_ = nullptr;
  Counter* bytes_from_worker_ = nullptr;
  Counter* bytes_to_worker_ = nullptr;
};

}  // namespace lmb::telemetry
