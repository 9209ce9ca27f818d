#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace lmb::telemetry {

/// `value` as Prometheus reads it (Go's ParseFloat): the shortest decimal that reads back as the
/// same double, without an exponent between 1e-6 and 2^53; "NaN", "+Inf", "-Inf".
std::string format_number(double value);

/// The Prometheus text format 0.0.4 of `families`: families and series sorted, HELP and label
/// values escaped, a histogram's buckets before its sum and count. Families of equal name must have
/// been merged by the caller.
std::string to_text_format(std::vector<prometheus::MetricFamily> families);

}  // namespace lmb::telemetry
