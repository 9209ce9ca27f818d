#include "lmb/telemetry/metrics.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "daemon_metrics.hpp"
#include "instruments.hpp"
#include "lmb/telemetry/log.hpp"
#include "process_metrics.hpp"
#include "request_metrics.hpp"
#include "text_format.hpp"
#include "worker_metrics.hpp"

namespace lmb::telemetry {

struct Metrics::State {
  State(const std::vector<std::string>& workers, const std::vector<std::string_view>& routes,
        const BuildInfo& build, const std::vector<std::string_view>& balanced_routes)
      : request(instruments, routes, balanced_routes),
        worker(instruments),
        daemon(instruments, build) {
    for (std::uint32_t i = 0; i < workers.size(); ++i) set_worker(WorkerId(i), workers[i]);
  }

  void set_worker(WorkerId place, const std::string& name) {
    const std::lock_guard lock(mutex);
    request.set_worker(place, name);
    worker.set_worker(place, name);
    if (shown) shown->insert(name);
  }

  [[nodiscard]] bool shows(const prometheus::ClientMetric& series) const {
    return std::all_of(series.label.begin(), series.label.end(), [this](const auto& label) {
      return label.name != "worker" || label.value == RequestMetrics::no_worker ||
             shown->contains(label.value);
    });
  }

  Instruments instruments;
  RequestMetrics request;
  WorkerMetrics worker;
  DaemonMetrics daemon;
  mutable std::mutex mutex;
  /// Workers whose series are told; nothing = all.
  std::optional<std::set<std::string>> shown;  // guarded by mutex
};

Metrics::Metrics(const std::vector<std::string>& workers,
                 const std::vector<std::string_view>& routes, const BuildInfo& build,
                 const std::vector<std::string_view>& balanced_routes)
    : state_(std::make_unique<State>(workers, routes, build, balanced_routes)) {}

Metrics::~Metrics() = default;

void Metrics::set_worker(WorkerId place, const std::string& name) {
  state_->set_worker(place, name);
}

void Metrics::note_reload(bool successful) noexcept {
  state_->daemon.note_reload(successful);
}

void Metrics::record(const RequestRecord& record) noexcept {
  state_->request.record(record);
}

void Metrics::count_attempt_failure(WorkerId worker, ErrorKind error) noexcept {
  state_->worker.count_attempt_failure(worker, error);
}

void Metrics::count_retry(WorkerId worker, ErrorKind error) noexcept {
  state_->worker.count_retry(worker, error);
}

void Metrics::count_connection(WorkerId worker, bool reused) noexcept {
  state_->worker.count_connection(worker, reused);
}

void Metrics::count_probe(WorkerId worker, bool alive, Duration took) noexcept {
  state_->worker.count_probe(worker, alive, took);
}

void Metrics::count_transition(WorkerId worker, WorkerHealth to) noexcept {
  state_->worker.count_transition(worker, to);
}

void Metrics::count_limit_hit(std::string_view limit) noexcept {
  state_->daemon.count_limit_hit(limit);
}

void Metrics::client_connection_opened() noexcept {
  state_->daemon.client_connection_opened();
}

void Metrics::client_connection_closed() noexcept {
  state_->daemon.client_connection_closed();
}

void Metrics::count_internal_error() noexcept {
  state_->daemon.count_internal_error();
}

void Metrics::count_access_lines_dropped(std::uint64_t lines) noexcept {
  state_->daemon.count_access_lines_dropped(lines);
}

void Metrics::observe_loop_lag(std::size_t shard, Duration lag) noexcept {
  state_->daemon.observe_loop_lag(shard, lag);
}

void Metrics::set_fleet(const std::vector<WorkerGauges>& workers, std::size_t queued,
                        std::uint64_t body_memory_bytes) {
  state_->worker.set_gauges(workers);
  state_->daemon.set_gauges(queued, body_memory_bytes);
  std::set<std::string> shown;
  for (const WorkerGauges& gauges : workers) shown.insert(state_->worker.name(gauges.worker));
  const std::lock_guard lock(state_->mutex);
  state_->shown = std::move(shown);
}

void Metrics::set_scheduler_totals(std::uint64_t retries_refused,
                                   std::uint64_t panic_grants) noexcept {
  state_->daemon.set_scheduler_totals(retries_refused, panic_grants);
}

std::string Metrics::render() const {
  state_->daemon.set_log_messages_dropped(log_messages_dropped());
  std::vector<prometheus::MetricFamily> families = state_->instruments.registry().Collect();
  {
    const std::lock_guard lock(state_->mutex);
    for (prometheus::MetricFamily& family : families) {
      std::erase_if(family.metric, [this](const prometheus::ClientMetric& series) {
        return state_->shown && !state_->shows(series);
      });
    }
  }
  std::vector<prometheus::MetricFamily> process = process_metrics::collect();
  std::move(process.begin(), process.end(), std::back_inserter(families));
  return to_text_format(std::move(families));
}

std::vector<Metrics::Description> Metrics::describe() const {
  std::vector<Description> all = state_->instruments.descriptions();
  for (Description& description : process_metrics::descriptions()) {
    all.push_back(std::move(description));
  }
  std::sort(all.begin(), all.end(),
            [](const Description& a, const Description& b) noexcept { return a.name < b.name; });
  return all;
}

}  // namespace lmb::telemetry
