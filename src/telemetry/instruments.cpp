#include "instruments.hpp"

namespace lmb::telemetry {

void Instruments::describe(const Spec& spec, const char* type) {
  descriptions_.push_back({spec.name, type, spec.help, spec.labels, spec.unit});
}

CounterFamily& Instruments::counters(const Spec& spec) {
  describe(spec, "counter");
  return prometheus::BuildCounter().Name(spec.name).Help(spec.help).Register(registry_);
}

GaugeFamily& Instruments::gauges(const Spec& spec) {
  describe(spec, "gauge");
  return prometheus::BuildGauge().Name(spec.name).Help(spec.help).Register(registry_);
}

HistogramFamily& Instruments::histograms(const Spec& spec) {
  describe(spec, "histogram");
  return prometheus::BuildHistogram().Name(spec.name).Help(spec.help).Register(registry_);
}

}  // namespace lmb::telemetry
