#pragma once

#include <memory>
#include <vector>

#include "lmb/sim/engine.hpp"
#include "lmb/sim/options.hpp"

namespace lmb::sim {

/// An engine whose machine gets hot, is slowed down from outside, or hangs: the engine within lives
/// on a time of its own that passes more slowly, or not at all.
///
/// Heat goes from 0 to 1 while anything runs and back while nothing does (ThermalPhysics); it is
/// reckoned in steps of at most a second. A wedged engine takes requests in and gives nothing out;
/// it does not notice clients that leave before it is freed.
class ThrottledEngine final : public Engine {
 public:
  ThrottledEngine(std::unique_ptr<Engine> engine, ThermalPhysics thermal);

  /// How many times slower than a cold machine, >= 1; heat comes on top.
  void set_slowdown(double factor, TimePoint now);
  void set_wedged(bool wedged, TimePoint now);

  JobId submit(Job job, TimePoint now) override;
  void cancel(JobId job, TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_event() const override;
  std::vector<Event> advance(TimePoint now) override;
  [[nodiscard]] std::uint32_t slots() const override { return engine_->slots(); }
  [[nodiscard]] std::uint32_t running() const override { return engine_->running(); }
  [[nodiscard]] std::uint32_t waiting() const override { return engine_->waiting(); }
  [[nodiscard]] bool prompt_running() const override { return engine_->prompt_running(); }

 private:
  void run_to(TimePoint now);
  void step_to(TimePoint end);
  [[nodiscard]] bool heat_changes() const;
  /// Seconds of the engine's time per second.
  [[nodiscard]] double rate() const;

  std::unique_ptr<Engine> engine_;
  ThermalPhysics thermal_;
  double slowdown_ = 1;
  double heat_ = 0;
  bool wedged_ = false;
  bool begun_ = false;
  TimePoint outer_;          // Reached so far.
  TimePoint inner_;          // The engine's time then.
  std::vector<JobId> left_;  // Clients that left while it was wedged.
  std::vector<Event> events_;
};

}  // namespace lmb::sim
