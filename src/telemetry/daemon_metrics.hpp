#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "instruments.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::telemetry {

/// What is counted about the balancer itself. Members as in Metrics.
class DaemonMetrics {
 public:
  DaemonMetrics(Instruments& instruments, const BuildInfo& build);

  void count_limit_hit(std::string_view limit) noexcept;
  void client_connection_opened() noexcept { client_connections_->Increment(); }
  void client_connection_closed() noexcept { client_connections_->Decrement(); }
  void count_internal_error() noexcept { internal_errors_->Increment(); }
  void note_reload(bool successful) noexcept;
  void observe_loop_lag(std::size_t shard, Duration lag) noexcept;
  void count_access_lines_dropped(std::uint64_t lines) noexcept {
    access_lines_dropped_->Increment(static_cast<double>(lines));
  }
  void set_log_messages_dropped(std::uint64_t total) noexcept {
    log_messages_dropped_.raise_to(total);
  }
  void set_scheduler_totals(std::uint64_t retries_refused, std::uint64_t panic_grants) noexcept {
    retries_refused_.raise_to(retries_refused);
    panic_grants_.raise_to(panic_grants);
  }
  void set_gauges(std::size_t queued, std::uint64_t body_memory_bytes) noexcept;

 private:
  void create_reload_series(Instruments& instruments);

  /// The config keys of all limits that can be hit; whatever else is told counts as the last one.
  static constexpr std::array<std::string_view, 30> limits = {"limits.head_bytes",
                                                              "limits.header_count",
                                                              "limits.target_bytes",
                                                              "limits.body_bytes",
                                                              "limits.body_memory",
                                                              "limits.inspections",
                                                              "limits.stream_buffer",
                                                              "limits.stream_buffer_total",
                                                              "limits.held_answer",
                                                              "limits.pool_connections",
                                                              "limits.answer_head_bytes",
                                                              "limits.event_bytes",
                                                              "limits.admin_body_bytes",
                                                              "limits.admin_connections",
                                                              "limits.access_log_bytes",
                                                              "limits.connections",
                                                              "limits.connections_per_client",
                                                              "models.load_timeout",
                                                              "queue.length",
                                                              "queue.max_wait",
                                                              "queue.max_wait_stream",
                                                              "retry.attempts",
                                                              "retry.budget_percent",
                                                              "timeouts.client_head",
                                                              "timeouts.client_body",
                                                              "timeouts.client_write",
                                                              "timeouts.request",
                                                              "timeouts.connect",
                                                              "timeouts.send",
                                                              "other"};
  static constexpr std::size_t most_shards = 256;

  std::array<Counter*, limits.size()> limit_hits_{};
  Gauge* client_connections_ = nullptr;
  Gauge* queue_depth_ = nullptr;
  Gauge* body_memory_ = nullptr;
  Counter* internal_errors_ = nullptr;
  Counter* access_lines_dropped_ = nullptr;
  Counter* reloads_ok_ = nullptr;
  Counter* reloads_failed_ = nullptr;
  Gauge* last_reload_successful_ = nullptr;
  Gauge* last_reload_time_ = nullptr;
  FollowingCounter log_messages_dropped_;
  FollowingCounter retries_refused_;
  FollowingCounter panic_grants_;
  HistogramFamily* loop_lag_seconds_ = nullptr;
  std::array<LazySeries<Histogram>, most_shards> loop_lag_;
};

}  // namespace lmb::telemetry
