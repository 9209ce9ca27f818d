#include "throttled_engine.hpp"

#include <algorithm>
#include <utility>

#include "duration.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::sim {
namespace {

constexpr Duration heat_step = std::chrono::seconds(1);

}  // namespace

ThrottledEngine::ThrottledEngine(std::unique_ptr<Engine> engine, ThermalPhysics thermal)
    : engine_(std::move(engine)), thermal_(thermal) {
  LMB_ASSERT(thermal_.slowest >= 1);
}

void ThrottledEngine::set_slowdown(double factor, TimePoint now) {
  LMB_ASSERT(factor >= 1);
  run_to(now);
  slowdown_ = factor;
}

void ThrottledEngine::set_wedged(bool wedged, TimePoint now) {
  run_to(now);
  wedged_ = wedged;
  if (wedged_) return;
  for (const JobId job : std::exchange(left_, {})) engine_->cancel(job, inner_);
}

JobId ThrottledEngine::submit(Job job, TimePoint now) {
  run_to(now);
  return engine_->submit(std::move(job), inner_);
}

void ThrottledEngine::cancel(JobId job, TimePoint now) {
  run_to(now);
  if (wedged_) {
    left_.push_back(job);
  } else {
    engine_->cancel(job, inner_);
  }
}

double ThrottledEngine::rate() const {
  if (wedged_) return 0;
  return 1 / (slowdown_ * (1 + (thermal_.slowest - 1) * heat_));
}

bool ThrottledEngine::heat_changes() const {
  return thermal_.slowest > 1 && engine_->running() > 0;
}

std::optional<TimePoint> ThrottledEngine::next_event() const {
  const auto next = engine_->next_event();
  if (!next || wedged_) return std::nullopt;
  if (*next <= inner_) return outer_;
  const double distance = static_cast<double>((*next - inner_).count()) / rate();
  // A nanosecond more than computed, unless both times run alike: rounding must not come short.
  const Duration margin = outer_ == inner_ && rate() == 1 ? Duration(0) : Duration(1);
  TimePoint out = outer_ + Duration(static_cast<Duration::rep>(distance)) + margin;
  if (heat_changes()) out = std::min(out, outer_ + heat_step);
  return out;
}

std::vector<Event> ThrottledEngine::advance(TimePoint now) {
  run_to(now);
  return std::exchange(events_, {});
}

void ThrottledEngine::run_to(TimePoint now) {
  if (!std::exchange(begun_, true)) outer_ = inner_ = now;
  while (outer_ < now && heat_changes()) step_to(std::min(now, outer_ + heat_step));
  step_to(std::max(now, outer_));
}

void ThrottledEngine::step_to(TimePoint end) {
  const double speed = rate();
  const TimePoint outer = std::exchange(outer_, end);
  const TimePoint inner = std::exchange(inner_, inner_ + scaled(end - outer, speed));
  const double seconds_passed = to_seconds(end - outer);
  if (heat_changes()) {
    heat_ = std::min(1.0, heat_ + seconds_passed / to_seconds(thermal_.heats_in));
  } else if (engine_->running() == 0 && heat_ > 0) {
    heat_ = std::max(0.0, heat_ - seconds_passed / to_seconds(thermal_.cools_in));
  }
  for (Event event : engine_->advance(inner_)) {
    // What happened at the engine's present or before is told for ours.
    const Duration since = std::max(event.at - inner, Duration::zero());
    if (speed > 0) event.at = std::min(outer + scaled(since, 1 / speed), end);
    if (speed == 0) event.at = end;
    events_.push_back(event);
  }
}

}  // namespace lmb::sim
