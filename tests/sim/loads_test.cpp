// Seeded histories of workers that hold one model at a time, of which more are wanted than that:
// switches, loads that fail or hang, leaders that leave. No request waits beyond a stated bound,
// nothing that runs is evicted, and no model is loaded twice at once.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "sim/chance.hpp"
#include "sim/timeline.hpp"

namespace lmb::history {
namespace {

using namespace std::chrono_literals;
using scheduling::Outcome;
using scheduling::Slot;

constexpr Duration request_max = 4s;
constexpr Duration length = 15min;
constexpr Duration tick_interval = 250ms;

/// The truth about one LM Studio: one model in memory, loads that take their time.
struct Mac {
  std::string loaded;
  std::string loading;
  std::map<std::string, std::uint32_t> running;  ///< Requests by model, without those that load.
};

struct Request {
  std::string model;
  TimePoint arrived;
  Slot slot;
  bool running = false;
  bool served = false;  ///< It counts in Mac::running.
  bool ended = false;
};

struct Tally {
  std::uint32_t answered = 0;
  std::uint32_t refused = 0;
  std::uint32_t left = 0;
  std::uint32_t loads = 0;
  std::uint32_t failed = 0;
  std::uint32_t hung = 0;
  std::uint32_t kept = 0;
  std::uint32_t cut = 0;
  Duration longest{};  ///< From the arrival of a model's oldest waiting request to its turn.
};

class LoadHistory {
 public:
  explicit LoadHistory(std::uint64_t seed)
      : chance_(seed), timeline_(TimePoint{} + 1h), options_(random_options(chance_)) {
    models_ = chance_.between(2U, 4U);
    const std::uint32_t size = chance_.between(1U, 3U);
    scheduling::WorkerSpec spec;
    spec.slots = 2;
    macs_.resize(size);
    load_takes_ = chance_.between(1s, 10s);
    // A load that nobody awaits any more is over, in truth and for the brain, after this.
    options_.models.load_time = load_takes_;
    trouble_ = chance_.happens(0.5) ? 0.15 : 0.0;
    leavers_ = chance_.happens(0.5) ? 0.3 : 0.0;
    scheduler_ = std::make_unique<scheduling::Scheduler>(
        options_, std::vector<scheduling::WorkerSpec>(size, spec), now());
    for (std::uint32_t i = 0; i < size; ++i) {
      (void)scheduler_->observe_probe(WorkerId(i), true, now());
      show(i);
    }
  }

  Tally run() {
    const TimePoint end = now() + length;
    for (std::uint32_t model = 0; model < models_; ++model) {
      plan_arrival("m" + std::to_string(model), end);
    }
    plan_tick();
    while (!testing::Test::HasFailure() && (now() < end || open_ > 0)) {
      timeline_.step();
    }
    return tally_;
  }

  /// What docs/fleet.md states, for each of the other models that want the worker, and the marks of
  /// failed loads; a hung load runs until its client gives up.
  [[nodiscard]] Duration bound() const {
    const Duration longest = trouble_ > 0 ? options_.models.load_timeout * 2 : request_max;
    const Duration turn = std::max(options_.models.switch_after, options_.models.min_residency) +
                          longest + options_.models.load_timeout + options_.abandon_settle_max +
                          options_.models.unloadable_max;
    return turn * models_;
  }

 private:
  static scheduling::SchedulerOptions random_options(Chance& chance) {
    scheduling::SchedulerOptions options;
    const auto one_of = [&chance](Duration a, Duration b) { return chance.happens(0.5) ? a : b; };
    options.queue_length = 100'000;
    options.health.slow_start = Duration{};
    options.abandon_settle_max = 2s;
    options.models.load_timeout = 20s;
    options.models.unloadable = 1s;
    options.models.unloadable_max = 4s;
    options.models.switch_after = one_of(2s, 30s);
    options.models.min_residency = one_of(10s, 2min);
    options.seed = chance.between(1U, 1000U);
    return options;
  }

  [[nodiscard]] TimePoint now() const { return timeline_.now(); }

  void plan_arrival(const std::string& model, TimePoint end) {
    // All models together ask for one and a half times what all slots can do.
    const double slots = 2.0 * static_cast<double>(macs_.size());
    const auto mean = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(2.0 * models_ / (1.5 * slots)));
    timeline_.after(chance_.around(mean), [this, model, end] {
      if (now() < end) {
        arrive(model);
        plan_arrival(model, end);
      }
    });
  }

  void plan_tick() {
    timeline_.after(tick_interval, [this] {
      deliver(scheduler_->tick(now()));
      look_for_waiting();
      plan_tick();
    });
  }

  void arrive(const std::string& model) {
    const auto request = std::make_shared<Request>();
    request->model = model;
    request->arrived = now();
    ++open_;
    scheduling::Demand demand;
    demand.model = model;
    demand.deadline = now() + 24h;
    if (!waiting_.empty()) deliver(scheduler_->tick(now()));
    const scheduling::Submitted result = scheduler_->submit(demand, now());
    if (const auto* slot = std::get_if<Slot>(&result)) {
      begin(request, *slot);
      deliver(scheduler_->tick(now()));
    } else if (const auto* ticket = std::get_if<TicketId>(&result)) {
      waiting_[*ticket] = request;
    } else {
      EXPECT_EQ(std::get<scheduling::Refusal>(result), scheduling::Refusal::load_failed);
      turn_of(*request);
      end(*request, tally_.refused);
    }
  }

  void deliver(const scheduling::Effects& effects) {
    // As the shell does it: who waits for a load that takes too long is taken from it.
    for (const auto& load : effects.overdue) {
      timeline_.after(0s, [this, load] { cut(load.grant); });
    }
    for (const auto& granted : effects.grants) {
      const auto request = waiting_.at(granted.ticket);
      waiting_.erase(granted.ticket);
      begin(request, granted.slot);
    }
    for (const auto& refused : effects.refusals) {
      EXPECT_EQ(refused.why, scheduling::Refusal::load_failed);
      const auto request = waiting_.at(refused.ticket);
      waiting_.erase(refused.ticket);
      turn_of(*request);
      end(*request, tally_.refused);
    }
  }

  /// The model had its turn now: how long its oldest has waited for that since its last one.
  void turn_of(const Request& request) {
    const auto last = last_turn_.find(request.model);
    const TimePoint since =
        last == last_turn_.end() ? request.arrived : std::max(last->second, request.arrived);
    tally_.longest = std::max(tally_.longest, now() - since);
    last_turn_[request.model] = now();
  }

  void look_for_waiting() {
    std::set<std::string> seen;  // Each model's oldest comes first.
    for (const auto& [ticket, request] : waiting_) {
      if (seen.size() == models_) {
        return;
      }
      if (!seen.insert(request->model).second) {
        continue;
      }
      const auto last = last_turn_.find(request->model);
      const TimePoint since =
          last == last_turn_.end() ? request->arrived : std::max(last->second, request->arrived);
      EXPECT_LE(now() - since, bound()) << request->model << " has had no turn for too long";
    }
  }

  void begin(const std::shared_ptr<Request>& request, const Slot& slot) {
    turn_of(*request);
    request->slot = slot;
    request->running = true;
    Mac& mac = macs_[slot.worker.value()];
    if (slot.cold && mac.loaded != request->model) {
      begin_load(request, mac);
      return;
    }
    EXPECT_EQ(mac.loaded, request->model) << "it would make the worker load";
    EXPECT_TRUE(mac.loading.empty()) << "the load of " << mac.loading << " will evict it";
    serve(request);
  }

  void begin_load(const std::shared_ptr<Request>& request, Mac& mac) {
    EXPECT_TRUE(mac.loading.empty()) << mac.loading << " and " << request->model << " at once";
    for (const auto& [model, count] : mac.running) {
      EXPECT_TRUE(count == 0 || model == request->model)
          << request->model << " evicts " << model << " while it runs";
    }
    ++tally_.loads;
    mac.loaded.clear();
    mac.loading = request->model;
    loading_[request->slot.grant] = request;
    look_soon(request->slot.worker.value());
    if (chance_.happens(trouble_)) {
      const bool hangs = chance_.happens(0.5);
      ++(hangs ? tally_.hung : tally_.failed);
      const Duration wait = hangs ? options_.models.load_timeout * 2 : load_takes_;
      timeline_.after(wait, [this, request] { fail(request); });
    } else {
      timeline_.after(load_takes_, [this, request] { end_load(request); });
      if (chance_.happens(leavers_)) {
        timeline_.after(chance_.between(0s, load_takes_), [this, request] { leave(request); });
      }
    }
  }

  void end_load(const std::shared_ptr<Request>& request) {
    const std::uint32_t worker = request->slot.worker.value();
    Mac& mac = macs_[worker];
    mac.loading.clear();
    mac.loaded = request->model;
    look_soon(worker);
    if (request->running) {
      deliver(scheduler_->first_token(request->slot, now()));
      serve(request);
    }
  }

  void cut(std::uint64_t grant) {
    const auto request = loading_[grant].lock();
    if (request == nullptr || !request->running) {
      return;
    }
    ++tally_.cut;
    macs_[request->slot.worker.value()].loading.clear();
    scheduling::Report report(Outcome::abandoned);
    report.sent = request->arrived;
    stop_serving(*request);
    finish(*request, report);
    end(*request, tally_.refused);
  }

  /// Answers, or is given up after a while by a client that the load kept waiting.
  void fail(const std::shared_ptr<Request>& request) {
    macs_[request->slot.worker.value()].loading.clear();
    if (request->running) {
      finish(*request, Outcome::model_unavailable);
      end(*request, tally_.refused);
    }
  }

  /// The client of a load leaves: the exchange is kept while the load is awaited.
  void leave(const std::shared_ptr<Request>& request) {
    if (!request->running) {
      return;
    }
    if (scheduler_->awaited(request->slot)) {
      ++tally_.kept;
      timeline_.after(1s, [this, request] { leave(request); });
      return;
    }
    scheduling::Report report(Outcome::abandoned);
    report.sent = request->arrived;
    stop_serving(*request);
    finish(*request, report);
    end(*request, tally_.left);
  }

  void serve(const std::shared_ptr<Request>& request) {
    ++macs_[request->slot.worker.value()].running[request->model];
    request->served = true;
    timeline_.after(chance_.between(100ms, request_max), [this, request] {
      stop_serving(*request);
      if (request->running) {
        finish(*request, Outcome::answered);
        end(*request, tally_.answered);
      }
    });
  }

  void stop_serving(Request& request) {
    if (request.served) {
      request.served = false;
      --macs_[request.slot.worker.value()].running[request.model];
    }
  }

  void finish(Request& request, const scheduling::Report& report) {
    request.running = false;
    deliver(scheduler_->finish(request.slot, report, now()));
  }

  void end(Request& request, std::uint32_t& count) {
    EXPECT_FALSE(request.ended) << "a request ended twice";
    request.ended = true;
    ++count;
    --open_;
  }

  /// The catalogue of a worker that loads is read each second.
  void look_soon(std::uint32_t worker) {
    timeline_.after(chance_.between(Duration{}, 1s), [this, worker] { show(worker); });
  }

  /// The worker's catalogue is read.
  void show(std::uint32_t worker) {
    scheduling::Offers offers;
    for (std::uint32_t i = 0; i < models_; ++i) {
      auto& offer = offers.models.emplace_back();
      offer.key = "m" + std::to_string(i);
      if (macs_[worker].loaded == offer.key) {
        offer.instances.push_back({.id = offer.key});
      }
    }
    deliver(scheduler_->set_offers(WorkerId(worker), offers, now()));
  }

  Chance chance_;
  Timeline timeline_;
  scheduling::SchedulerOptions options_;
  std::uint32_t models_ = 0;
  std::vector<Mac> macs_;
  Duration load_takes_{};
  double trouble_ = 0;  ///< Share of loads that fail or hang.
  double leavers_ = 0;  ///< Share of loads whose client leaves.
  std::unique_ptr<scheduling::Scheduler> scheduler_;
  std::map<TicketId, std::shared_ptr<Request>> waiting_;
  std::map<std::uint64_t, std::weak_ptr<Request>> loading_;  ///< By grant.
  std::map<std::string, TimePoint> last_turn_;
  std::uint32_t open_ = 0;
  Tally tally_;
};

TEST(LoadHistories, keep_every_wait_for_a_turn_within_the_stated_bound) {
  Tally all;
  for (std::uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    LoadHistory history(seed);
    const Tally tally = history.run();
    EXPECT_LE(tally.longest, history.bound());
    all.answered += tally.answered;
    all.refused += tally.refused;
    all.left += tally.left;
    all.loads += tally.loads;
    all.failed += tally.failed;
    all.hung += tally.hung;
    all.kept += tally.kept;
    all.cut += tally.cut;
  }
  // Histories that never meet the rare cases prove little.
  EXPECT_GT(all.answered, 10'000U);
  EXPECT_GT(all.refused, 20U);
  EXPECT_GT(all.loads, 200U);
  EXPECT_GT(all.failed, 10U);
  EXPECT_GT(all.hung, 10U);
  EXPECT_GT(all.kept, 10U);
  EXPECT_GT(all.cut, 10U);
}

}  // namespace
}  // namespace lmb::history
