#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "sim/chance.hpp"

// Report A: two workers behind a balancer were slower than one. Here the real scheduler feeds
// workers of exactly those physics: n requests at once each run at the rate 1 / R(n), R(n) = 3.48 s
// + 0.275 s x n, at most 32.

namespace lmb::history {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t slots = 32;
constexpr double never = std::numeric_limits<double>::infinity();

double seconds_per_unit(std::size_t running) {
  return 3.48 + 0.275 * static_cast<double>(running);
}

/// A worker of report A. Work is counted in requests of ordinary size (1.0).
class ReportAWorker {
 public:
  /// `travel` seconds pass before the worker has the request.
  void begin(std::uint32_t request, double work, double travel) { left_[request] = {travel, work}; }
  /// Seconds until something arrives or is ready if nothing else changes.
  [[nodiscard]] double next_change() const {
    double least = never;
    for (const auto& [request, left] : left_) {
      least =
          std::min(least, left.travel > 0 ? left.travel : left.work * seconds_per_unit(running()));
    }
    return least;
  }
  void pass(double seconds) {
    const double done = seconds / seconds_per_unit(running());
    for (auto& [request, left] : left_) {
      if (left.travel > 0) {
        left.travel = left.travel - seconds < 1e-9 ? 0 : left.travel - seconds;
      } else {
        left.work -= done;
      }
    }
  }
  /// Takes out one request that is ready; false when there is none.
  bool take_ready() {
    const auto found = std::find_if(left_.begin(), left_.end(),
                                    [](const auto& entry) { return entry.second.work < 1e-9; });
    if (found == left_.end()) {
      return false;
    }
    left_.erase(found);
    return true;
  }

 private:
  struct Left {
    double travel = 0;
    double work = 0;
  };
  [[nodiscard]] std::size_t running() const {
    return static_cast<std::size_t>(std::count_if(
        left_.begin(), left_.end(), [](const auto& entry) { return entry.second.travel <= 0; }));
  }

  std::map<std::uint32_t, Left> left_;
};

/// One batch: a closed loop of `concurrency` clients that work through `list` in order.
class Batch {
 public:
  Batch(std::uint32_t workers, std::uint32_t concurrency, std::vector<double> list, double travel)
      : list_(std::move(list)),
        travel_(travel),
        workers_(workers),
        scheduler_({}, specs(workers), time()),
        concurrency_(concurrency) {
    scheduling::Offers offers;
    offers.models.push_back({.key = "m", .instances = {{.id = "m"}}});
    for (std::uint32_t i = 0; i < workers; ++i) {
      (void)scheduler_.set_offers(WorkerId(i), offers, time());
      (void)scheduler_.observe_probe(WorkerId(i), true, time());
    }
  }

  /// Seconds until the last answer.
  double run() {
    for (std::uint32_t i = 0; i < concurrency_; ++i) {
      submit_next();
    }
    while (answered_ < list_.size()) {
      double step = never;
      for (const ReportAWorker& worker : workers_) {
        step = std::min(step, worker.next_change());
      }
      if (step == never) {
        return never;  // Somebody waits, nobody works.
      }
      seconds_ += step;
      for (ReportAWorker& worker : workers_) {
        worker.pass(step);
      }
      for (std::uint32_t i = 0; i < workers_.size(); ++i) {
        while (workers_[i].take_ready()) {
          ++answered_;
          finish(i);
        }
      }
    }
    return seconds_;
  }

 private:
  static std::vector<scheduling::WorkerSpec> specs(std::uint32_t count) {
    scheduling::WorkerSpec spec;
    spec.slots = slots;
    return std::vector<scheduling::WorkerSpec>(count, spec);
  }
  [[nodiscard]] TimePoint time() const {
    return TimePoint{} + 1h +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds_));
  }
  void submit_next() {
    if (next_ == list_.size()) {
      return;
    }
    const std::uint32_t request = next_++;
    scheduling::Demand demand;
    demand.model = "m";
    demand.deadline = TimePoint::max();
    const auto result = scheduler_.submit(demand, time());
    if (const auto* slot = std::get_if<scheduling::Slot>(&result)) {
      begin(request, *slot);
    } else {
      waiting_[std::get<TicketId>(result)] = request;
    }
  }
  void begin(std::uint32_t request, const scheduling::Slot& slot) {
    workers_[slot.worker.value()].begin(request, list_[request], travel_);
    slots_[slot.worker.value()].push_back(slot);
  }
  /// All slots of a worker are alike.
  void finish(std::uint32_t worker) {
    const scheduling::Slot slot = slots_[worker].back();
    slots_[worker].pop_back();
    const auto effects = scheduler_.finish(slot, scheduling::Outcome::answered, time());
    for (const scheduling::Grant& grant : effects.grants) {
      begin(waiting_.at(grant.ticket), grant.slot);
    }
    submit_next();
  }

  std::vector<double> list_;
  double travel_;
  std::vector<ReportAWorker> workers_;
  double seconds_ = 0;
  scheduling::Scheduler scheduler_;
  std::uint32_t concurrency_;
  std::uint32_t next_ = 0;
  std::size_t answered_ = 0;
  std::map<TicketId, std::uint32_t> waiting_;
  std::map<std::uint32_t, std::vector<scheduling::Slot>> slots_;  ///< By worker.
};

double seconds(std::uint32_t workers, std::uint32_t concurrency, const std::vector<double>& list,
               double travel = 0) {
  return Batch(workers, concurrency, list, travel).run();
}

/// Not a matter of luck: at every moment each running request of the two shares its worker with no
/// more others than in the run of the one, so by induction each begins and ends no later.
TEST(Batch, two_identical_workers_are_never_slower_than_one) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Chance chance(seed);
    std::vector<double> list(chance.between(1U, 120U));
    for (double& work : list) {
      work = 0.01 * chance.between(1U, 400U);
    }
    const std::uint32_t concurrency = chance.between(1U, 100U);
    const double one = seconds(1, concurrency, list);
    const double two = seconds(2, concurrency, list);
    ASSERT_LE(two, one + 1e-6) << "seed " << seed << ", concurrency " << concurrency;
    ASSERT_LT(two, never) << "seed " << seed;
  }
}

/// The best that this physics allows: an even split with half of the clients on each worker.
TEST(Batch, two_workers_reach_what_an_even_split_reaches) {
  for (const std::uint32_t concurrency : {6U, 12U, 24U}) {
    const std::vector<double> whole(480, 1.0);
    const std::vector<double> half(240, 1.0);
    const double even = seconds(1, concurrency / 2, half);
    const double two = seconds(2, concurrency, whole);
    EXPECT_GE(even / two, 0.97) << "concurrency " << concurrency;
    EXPECT_LE(even / two, 1.0 + 1e-9) << "nobody can be better than the even split here";
    // A network of 20 ms round trips does not change that.
    EXPECT_GE(even / seconds(2, concurrency, whole, 0.020), 0.97) << "concurrency " << concurrency;
  }
}

TEST(Batch, the_physics_are_those_of_the_report) {
  const std::vector<double> list(1200, 1.0);
  EXPECT_NEAR(1200 / seconds(1, 6, list), 1.17, 0.02);
  EXPECT_NEAR(1200 / seconds(1, 12, list), 1.77, 0.02);
  // 1.19x, 1.32x, 1.48x of one worker at the same total concurrency.
  EXPECT_NEAR(seconds(1, 6, list) / seconds(2, 6, list), 1.19, 0.01);
  EXPECT_NEAR(seconds(1, 12, list) / seconds(2, 12, list), 1.32, 0.01);
  EXPECT_NEAR(seconds(1, 24, list) / seconds(2, 24, list), 1.48, 0.01);
}

}  // namespace
}  // namespace lmb::history
