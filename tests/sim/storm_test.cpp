#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "sim/chance.hpp"
#include "sim/timeline.hpp"

// Clients that give up before the first token and try again at once. LM Studio finishes a prompt
// whose client has left, so a balancer that takes such a slot for free puts the next request into
// the worker's hidden queue, where it waits behind ghosts.

namespace lmb::history {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t slots = 4;

/// One LM Studio: prompts one after the other, each `prefill` long, left ones too; then the answer.
struct StormWorker {
  TimePoint prompts_done;       ///< When the last prompt that it has will be finished.
  std::vector<TimePoint> busy;  ///< Ends of what occupies its slots, ghosts included.
};

class Storm {
 public:
  Storm(std::uint64_t seed, Duration settle_max, Duration patience)
      : chance_(seed), timeline_(TimePoint{} + 1h), patience_(patience) {
    scheduling::SchedulerOptions options;
    options.abandon_settle_max = settle_max;
    scheduler_.emplace(options, std::vector<scheduling::WorkerSpec>(2), timeline_.now());
    scheduling::Offers offers;
    offers.models.push_back({.key = "m", .instances = {{.id = "m", .parallel = slots}}});
    for (std::uint32_t i = 0; i < 2; ++i) {
      (void)scheduler_->set_offers(WorkerId(i), offers, timeline_.now());
      (void)scheduler_->observe_probe(WorkerId(i), true, timeline_.now());
    }
  }

  /// Requests that a worker had to queue by itself.
  std::uint32_t run() {
    for (std::uint32_t client = 0; client < 12; ++client) {
      timeline_.after(chance_.between(0ms, 500ms), [this] { ask(); });
    }
    const TimePoint end = timeline_.now() + 10min;
    timeline_.before_each([this] { deliver(scheduler_->tick(timeline_.now())); });
    plan_tick();
    while (timeline_.now() < end) {
      timeline_.step();
    }
    return hidden_;
  }
  [[nodiscard]] std::uint32_t answers() const { return answers_; }
  [[nodiscard]] std::uint32_t left() const { return left_; }

 private:
  void plan_tick() {
    timeline_.after(50ms, [this] { plan_tick(); });
  }

  void ask() {
    scheduling::Demand demand;
    demand.model = "m";
    demand.deadline = timeline_.now() + 1h;
    demand.prompt_tokens = 4000;
    demand.stream = true;
    const auto submitted = scheduler_->submit(demand, timeline_.now());
    if (const auto* slot = std::get_if<scheduling::Slot>(&submitted)) {
      begin(*slot);
    }
  }

  void deliver(const scheduling::Effects& effects) {
    for (const scheduling::Grant& grant : effects.grants) {
      begin(grant.slot);
    }
  }

  void begin(const scheduling::Slot& slot) {
    StormWorker& worker = workers_[slot.worker.value()];
    const TimePoint now = timeline_.now();
    std::erase_if(worker.busy, [now](TimePoint until) { return until <= now; });
    hidden_ += worker.busy.size() >= slots ? 1U : 0U;
    const Duration prefill = chance_.between(1s, 3s);
    const TimePoint first_token = std::max(worker.prompts_done, now) + prefill;
    worker.prompts_done = first_token;
    const bool leaves = now + patience_ < first_token;
    const TimePoint done = leaves ? first_token : first_token + 2s;
    worker.busy.push_back(done);
    scheduling::Report report;
    report.sent = now;
    if (leaves) {
      report.outcome = scheduling::Outcome::abandoned;
      timeline_.at(now + patience_, [this, slot, report] { end(slot, report); });
      return;
    }
    if (slot.watched) {
      timeline_.at(first_token,
                   [this, slot] { deliver(scheduler_->first_token(slot, timeline_.now())); });
    }
    report.first_token = first_token;
    report.last_token = done;
    report.tokens = 40;
    timeline_.at(done, [this, slot, report] { end(slot, report); });
  }

  void end(const scheduling::Slot& slot, const scheduling::Report& report) {
    (report.first_token ? answers_ : left_) += 1;
    deliver(scheduler_->finish(slot, report, timeline_.now()));
    // The same client, at once.
    ask();
  }

  Chance chance_;
  Timeline timeline_;
  Duration patience_;
  std::optional<scheduling::Scheduler> scheduler_;
  std::map<std::uint32_t, StormWorker> workers_;
  std::uint32_t hidden_ = 0;
  std::uint32_t answers_ = 0;
  std::uint32_t left_ = 0;
};

TEST(Storm, of_clients_that_time_out_and_retry_never_reaches_a_hidden_queue) {
  std::uint32_t left = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Storm storm(seed, 30s, 5s);
    EXPECT_EQ(storm.run(), 0U) << "seed " << seed;
    EXPECT_GT(storm.answers(), 100U) << "seed " << seed;
    left += storm.left();
  }
  EXPECT_GT(left, 1000U) << "a storm without wind";
}

/// The control: without settling slots the same storm fills the workers' hidden queues.
TEST(Storm, would_without_settling_slots) {
  Storm storm(1, 0s, 5s);
  EXPECT_GT(storm.run(), 50U);
}

}  // namespace
}  // namespace lmb::history
