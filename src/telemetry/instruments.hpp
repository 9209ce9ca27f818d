#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/assert.hpp"
#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::telemetry {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using CounterFamily = prometheus::Family<Counter>;
using GaugeFamily = prometheus::Family<Gauge>;
using HistogramFamily = prometheus::Family<Histogram>;

/// Prometheus's base unit of time.
inline double seconds(Duration duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

/// Creates the metric families and remembers how they describe themselves, so that what is exposed
/// and what describe() tells have one source.
class Instruments {
 public:
  /// What a family is, before its type is known.
  struct Spec {
    const char* name;
    const char* unit;
    const char* help;
    std::vector<std::string> labels;
  };

  CounterFamily& counters(const Spec& spec);
  GaugeFamily& gauges(const Spec& spec);
  HistogramFamily& histograms(const Spec& spec);

  [[nodiscard]] const prometheus::Registry& registry() const noexcept { return registry_; }
  [[nodiscard]] const std::vector<Metrics::Description>& descriptions() const noexcept {
    return descriptions_;
  }

 private:
  void describe(const Spec& spec, const char* type);

  prometheus::Registry registry_;
  std::vector<Metrics::Description> descriptions_;
};

/// A series of a family with too many possible label values to create them all: created when it is
/// first counted, found without lock or look-up from then on.
/// Thread safety: any thread; two first uses at once find the same series.
template <class Metric>
class LazySeries {
 public:
  /// `create` returns the series; it runs until it has succeeded once. nullptr: there is no memory
  /// for it, and what was to be counted is lost.
  template <class Create>
  Metric* get(Create create) noexcept {
    Metric* series = series_.load(std::memory_order_acquire);
    if (series != nullptr) return series;
    try {
      series = &create();
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    series_.store(series, std::memory_order_release);
    return series;
  }

 private:
  std::atomic<Metric*> series_{nullptr};
};

/// What is counted for each worker: found by its place without a lock, kept by its name.
/// Thread safety: get() from any thread; set() from one at a time.
template <class Series>
class SeriesByWorker {
 public:
  /// `create` makes the series of a name that has none yet.
  template <class Create>
  void set(WorkerId place, const std::string& name, Create create) {
    auto& series = by_name_[name];
    if (!series) series = create();
    at(place).store(series.get(), std::memory_order_release);
  }
  Series& get(WorkerId place) noexcept {
    Series* series = at(place).load(std::memory_order_acquire);
    LMB_ASSERT(series != nullptr);
    return *series;
  }

 private:
  std::atomic<Series*>& at(WorkerId place) noexcept {
    LMB_ASSERT(place.value() < places_.size());
    return places_[place.value()];
  }

  std::map<std::string, std::unique_ptr<Series>> by_name_;
  std::array<std::atomic<Series*>, worker_places> places_{};
};

/// A counter that follows a total which somebody else counts.
/// Thread safety: any thread; of totals told at once the highest counts.
class FollowingCounter {
 public:
  void follow(Counter& counter) noexcept { counter_ = &counter; }
  void raise_to(std::uint64_t total) noexcept {
    auto told = told_.load(std::memory_order_relaxed);
    while (told < total && !told_.compare_exchange_weak(told, total, std::memory_order_relaxed)) {
    }
    if (told < total) counter_->Increment(static_cast<double>(total - told));
  }

 private:
  Counter* counter_ = nullptr;
  std::atomic<std::uint64_t> told_{0};
};

}  // namespace lmb::telemetry
