#pragma once

#include <deque>
#include <map>
#include <vector>

#include "lmb/sim/engine.hpp"
#include "lmb/sim/presets.hpp"
#include "outbox.hpp"

namespace lmb::sim {

/// The worker of report A: requests share it, each progressing at rate 1 / R(n)
/// (SharedWorkPhysics).
class ReportAEngine final : public Engine {
 public:
  /// `parallel` 0 = that of the physics.
  ReportAEngine(SharedWorkPhysics physics, std::uint32_t parallel);

  JobId submit(Job job, TimePoint now) override;
  void cancel(JobId job, TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_event() const override;
  std::vector<Event> advance(TimePoint now) override;
  [[nodiscard]] std::uint32_t slots() const override { return physics_.parallel; }
  [[nodiscard]] std::uint32_t running() const override;
  [[nodiscard]] std::uint32_t waiting() const override;
  [[nodiscard]] bool prompt_running() const override { return false; }

 private:
  struct Work {
    std::uint32_t answer_tokens = 1;
    std::uint32_t given = 0;
    double done = 0;  // Of the unit.
  };

  void run_to(TimePoint now);
  void progress_to(TimePoint now);
  void give_tokens(TimePoint now);
  void admit(TimePoint now);
  [[nodiscard]] double seconds_per_unit() const;
  [[nodiscard]] std::optional<TimePoint> next_token() const;

  SharedWorkPhysics physics_;
  std::uint64_t last_id_ = 0;
  std::deque<std::pair<JobId, Work>> queue_;
  std::map<JobId, Work> running_;
  TimePoint progressed_to_;
  Outbox outbox_;
};

}  // namespace lmb::sim
