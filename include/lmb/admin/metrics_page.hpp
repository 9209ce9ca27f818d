#pragma once

#include <cstdint>
#include <string>

#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::admin {

/// The body of GET /metrics: copies the fleet's gauges in, then serialises everything. Takes
/// milliseconds; runs on a thread of its own, never on a shard.
std::string render_metrics(const dispatch::Dispatcher& dispatcher, telemetry::Metrics& metrics,
                           std::uint64_t body_memory_bytes);

}  // namespace lmb::admin
