#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "lmb/telemetry/metrics.hpp"

/// The metrics of a process that every Prometheus client library exposes under these names.
namespace lmb::telemetry::process_metrics {

/// Reads them from the operating system; what it does not tell is left out.
std::vector<prometheus::MetricFamily> collect();

std::vector<Metrics::Description> descriptions();

}  // namespace lmb::telemetry::process_metrics
