#include "process_metrics.hpp"

#include <sys/resource.h>

#include <array>
#include <optional>

#include "process_stats.hpp"

namespace lmb::telemetry::process_metrics {
namespace {

double to_seconds(const timeval& time) noexcept {
  constexpr double microsecond = 1e-6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * microsecond;
}

std::optional<double> cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
  return to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
}

std::optional<double> descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

struct ProcessFamily {
  const char* name;
  prometheus::MetricType type;
  const char* unit;
  const char* help;
  std::optional<double> (*read)();
};

constexpr std::array<ProcessFamily, 4> families = {{
    {"process_cpu_seconds_total", prometheus::MetricType::Counter, "seconds",
     "Processor time used, in user and kernel mode.", cpu_seconds},
    {"process_max_fds", prometheus::MetricType::Gauge, "descriptors",
     "How many file descriptors may be open at once.", descriptor_limit},
    {"process_open_fds", prometheus::MetricType::Gauge, "descriptors", "Open file descriptors.",
     process_stats::open_descriptors},
    {"process_resident_memory_bytes", prometheus::MetricType::Gauge, "bytes", "Resident memory.",
     process_stats::resident_bytes},
}};

}  // namespace

std::vector<prometheus::MetricFamily> collect() {
  std::vector<prometheus::MetricFamily> collected;
  for (const ProcessFamily& family : families) {
    const std::optional<double> value = family.read();
    if (!value) continue;
    prometheus::ClientMetric metric;
    if (family.type == prometheus::MetricType::Counter) {
      metric.counter.value = *value;
    } else {
      metric.gauge.value = *value;
    }
    collected.push_back({family.name, family.help, family.type, {metric}});
  }
  return collected;
}

std::vector<Metrics::Description> descriptions() {
  std::vector<Metrics::Description> all;
  for (const ProcessFamily& family : families) {
    const bool counter = family.type == prometheus::MetricType::Counter;
    all.push_back({family.name, counter ? "counter" : "gauge", family.help, {}, family.unit});
  }
  return all;
}

}  // namespace lmb::telemetry::process_metrics
