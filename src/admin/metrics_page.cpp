#include "lmb/admin/metrics_page.hpp"

#include <vector>

namespace lmb::admin {

std::string render_metrics(const dispatch::Dispatcher& dispatcher, telemetry::Metrics& metrics,
                           std::uint64_t body_memory_bytes) {
  const auto fleet = dispatcher.snapshot();
  std::vector<telemetry::WorkerGauges> gauges;
  for (const auto& worker : fleet.workers) {
    telemetry::WorkerGauges gauge;
    gauge.worker = worker.id;
    // A draining worker shows in its own gauge; the snapshot does not tell of its probes then.
    gauge.up = worker.state != scheduling::WorkerState::starting &&
               worker.state != scheduling::WorkerState::down;
    gauge.suspect = worker.state == scheduling::WorkerState::suspect;
    gauge.breaker_open = worker.breaker_until.has_value();
    gauge.draining = worker.draining;
    gauge.in_flight = worker.in_flight;
    gauge.settling = worker.settling;
    gauge.slots = worker.slots;
    gauge.retired = worker.retired;
    gauges.push_back(gauge);
  }
  metrics.set_fleet(gauges, fleet.queued, body_memory_bytes);
  metrics.set_scheduler_totals(fleet.retries_refused_total, fleet.panic_grants_total);
  return metrics.render();
}

}  // namespace lmb::admin
