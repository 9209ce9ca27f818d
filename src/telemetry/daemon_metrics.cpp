#include "daemon_metrics.hpp"

#include <algorithm>
#include <string>

#include "buckets.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::telemetry {
namespace {

double unix_seconds() {
  return std::chrono::duration<double>(wall_now().time_since_epoch()).count();
}

/// What never changes.
void tell_process(Instruments& instruments, const BuildInfo& build) {
  instruments
      .gauges({"lmbalancer_build_info",
               "1",
               "Always 1; the labels tell the version that runs.",
               {"version", "git_hash"}})
      .Add({{"version", build.version}, {"git_hash", build.git_hash}})
      .Set(1);
  instruments
      .gauges(
          {"process_start_time_seconds", "seconds", "When the process started, as Unix time.", {}})
      .Add({})
      .Set(unix_seconds());
}

}  // namespace

DaemonMetrics::DaemonMetrics(Instruments& instruments, const BuildInfo& build) {
  CounterFamily& hits = instruments.counters({"lmbalancer_limit_hits_total",
                                              "hits",
                                              "How often a limit was hit, by its config key.",
                                              {"limit"}});
  for (std::size_t i = 0; i < limits.size(); ++i) {
    limit_hits_[i] = &hits.Add({{"limit", std::string(limits[i])}});
  }
  client_connections_ = &instruments
                             .gauges({"lmbalancer_client_connections",
                                      "connections",
                                      "Open connections of clients, idle ones included.",
                                      {}})
                             .Add({});
  queue_depth_ =
      &instruments
           .gauges({"lmbalancer_queue_depth", "requests", "Requests that wait for a slot now.", {}})
           .Add({});
  body_memory_ = &instruments
                      .gauges({"lmbalancer_body_memory_bytes",
                               "bytes",
                               "Memory held by request bodies, bounded by limits.body_memory.",
                               {}})
                      .Add({});
  internal_errors_ = &instruments
                          .counters({"lmbalancer_internal_errors_total",
                                     "errors",
                                     "Faults of the balancer itself; each is a bug.",
                                     {}})
                          .Add({});
  access_lines_dropped_ =
      &instruments
           .counters({"lmbalancer_access_log_lines_dropped_total",
                      "lines",
                      "Lines of the access log that were dropped: its reader did not keep up, or "
                      "its disk was full.",
                      {}})
           .Add({});
  log_messages_dropped_.follow(
      instruments
          .counters(
              {"lmbalancer_log_messages_dropped_total",
               "messages",
               "Messages of the log that were dropped: nobody read stderr, its disk was full, "
               "or there was no memory for them.",
               {}})
          .Add({}));
  retries_refused_.follow(instruments
                              .counters({"lmbalancer_retries_refused_total",
                                         "attempts",
                                         "Attempts on another worker that were not made because "
                                         "the budget for retries was spent.",
                                         {}})
                              .Add({}));
  panic_grants_.follow(instruments
                           .counters({"lmbalancer_panic_grants_total",
                                      "requests",
                                      "Requests given to a worker in spite of its breaker, because "
                                      "breakers excluded every worker.",
                                      {}})
                           .Add({}));
  create_reload_series(instruments);
  loop_lag_seconds_ = &instruments.histograms({"lmbalancer_loop_lag_seconds",
                                               "seconds",
                                               "How late a shard's periodic tick ran: what "
                                               "something that held the shard cost all others.",
                                               {"shard"}});
  tell_process(instruments, build);
}

void DaemonMetrics::create_reload_series(Instruments& instruments) {
  CounterFamily& reloads = instruments.counters(
      {"lmbalancer_config_reloads_total",
       "reloads",
       "How often the config file was read again: ok, or failed (it changed nothing).",
       {"result"}});
  reloads_ok_ = &reloads.Add({{"result", "ok"}});
  reloads_failed_ = &reloads.Add({{"result", "failed"}});
  last_reload_successful_ =
      &instruments
           .gauges({"lmbalancer_config_last_reload_successful",
                    "0 or 1",
                    "1 when the config file had no errors when it was read last, else 0.",
                    {}})
           .Add({});
  last_reload_time_ = &instruments
                           .gauges({"lmbalancer_config_last_reload_success_timestamp_seconds",
                                    "seconds",
                                    "When the config was read without errors last, as Unix time.",
                                    {}})
                           .Add({});
  last_reload_successful_->Set(1);
  last_reload_time_->Set(unix_seconds());
}

void DaemonMetrics::note_reload(bool successful) noexcept {
  (successful ? reloads_ok_ : reloads_failed_)->Increment();
  last_reload_successful_->Set(successful ? 1 : 0);
  if (successful) last_reload_time_->Set(unix_seconds());
}

void DaemonMetrics::count_limit_hit(std::string_view limit) noexcept {
  const auto found = std::find(limits.begin(), limits.end() - 1, limit);
  limit_hits_[static_cast<std::size_t>(found - limits.begin())]->Increment();
}

void DaemonMetrics::observe_loop_lag(std::size_t shard, Duration lag) noexcept {
  LMB_ASSERT(shard < most_shards);
  auto* histogram = loop_lag_[shard].get([&]() -> Histogram& {
    return loop_lag_seconds_->Add({{"shard", std::to_string(shard)}}, buckets::loop_lag());
  });
  if (histogram != nullptr) histogram->Observe(seconds(lag));
}

void DaemonMetrics::set_gauges(std::size_t queued, std::uint64_t body_memory_bytes) noexcept {
  queue_depth_->Set(static_cast<double>(queued));
  body_memory_->Set(static_cast<double>(body_memory_bytes));
}

}  // namespace lmb::telemetry
