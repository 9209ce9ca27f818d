// Seeded histories of workers that go silent in the middle of their work while their probes go
// well: who is silent for a reason is never taken for wedged, who is wedged is found within a
// stated time, and serves again when it has recovered.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
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

constexpr std::uint32_t slots = 4;
constexpr std::uint32_t prompt_max = 8'000;
constexpr Duration probe_interval = 5s;
constexpr Duration length = 3h;

/// One LM Studio: prompts one after the other, then a token each `gap`; silent while it is wedged.
struct Engine {
  double prompt_rate = 1;  ///< Tokens per second.
  Duration gap{};
  TimePoint prompts_done;
  TimePoint load_ends;
  TimePoint last_bytes;
  TimePoint wedged_since = TimePoint::max();
  TimePoint recovered_at;
  std::uint32_t grants_since_recovery = 0;

  [[nodiscard]] bool wedged() const { return wedged_since != TimePoint::max(); }
};

struct Request {
  Slot slot;
  std::uint32_t prompt = 0;
  TimePoint sent;
  TimePoint first_token;
  std::uint32_t tokens = 0;
  std::uint32_t tokens_wanted = 0;
  bool slow = false;   ///< Its client stops reading for minutes after the first token.
  bool whole = false;  ///< Its answer comes in one piece.
  bool ended = false;
};
using RequestPointer = std::shared_ptr<Request>;

class WedgeHistory {
 public:
  WedgeHistory(std::uint64_t seed, bool with_wedges)
      : chance_(seed), timeline_(TimePoint{} + 1h), wedges_(with_wedges) {
    options_.seed = seed;
    engines_.resize(chance_.between(2U, 4U));
    scheduler_ = std::make_unique<scheduling::Scheduler>(
        options_, std::vector<scheduling::WorkerSpec>(engines_.size()), now());
    for (std::uint32_t i = 0; i < engines_.size(); ++i) {
      engines_[i].prompt_rate = chance_.between(200U, 3'000U);
      engines_[i].gap = chance_.between(10ms, 80ms);
      offer(i, true);
      timeline_.after(chance_.between(0ms, 5s), [this, i] { probe(i); });
    }
  }

  void run() {
    const std::uint32_t clients = chance_.between(2U, 10U);
    for (std::uint32_t i = 0; i < clients; ++i) {
      timeline_.after(chance_.between(6s, 30s), [this] { ask(); });
    }
    if (wedges_) timeline_.after(chance_.between(30min, 60min), [this] { wedge(); });
    if (!wedges_) timeline_.after(30min, [this] { unload(); });
    tick();
    const TimePoint end = now() + length;
    while (now() < end) timeline_.step();
  }

  std::uint32_t answered = 0;
  std::uint32_t slow = 0;
  std::uint32_t loads = 0;
  std::uint32_t left = 0;
  std::uint32_t whole = 0;
  std::uint32_t wedges = 0;
  std::uint32_t found = 0;
  std::uint32_t found_wrongly = 0;
  std::uint32_t recovered = 0;
  std::vector<Duration> silences;  ///< Of wedged workers that had work, until they were found.

 private:
  [[nodiscard]] TimePoint now() const { return timeline_.now(); }

  void offer(std::uint32_t worker, bool loaded) {
    scheduling::Offers offers;
    auto& model = offers.models.emplace_back();
    model.key = "m";
    if (loaded) model.instances.push_back({.id = "m", .parallel = slots});
    deliver(scheduler_->set_offers(WorkerId(worker), offers, now()));
  }

  /// A worker that runs nothing unloads its model.
  void unload() {
    const auto worker = chance_.between(0U, static_cast<std::uint32_t>(engines_.size()) - 1);
    const bool runs = std::any_of(running_.begin(), running_.end(), [worker](const auto& request) {
      return request->slot.worker == WorkerId(worker);
    });
    if (!runs) offer(worker, false);
    timeline_.after(chance_.between(1s, 10s), [this] { unload(); });
  }

  void probe(std::uint32_t worker) {
    scheduling::ProbeReport report(true);
    report.begun = now();
    if (engines_[worker].last_bytes != TimePoint{}) report.last_bytes = engines_[worker].last_bytes;
    deliver(scheduler_->observe_probe(WorkerId(worker), report, now()));
    timeline_.after(probe_interval, [this, worker] { probe(worker); });
  }

  void tick() {
    deliver(scheduler_->tick(now()));
    timeline_.after(1s, [this] { tick(); });
  }

  void ask() {
    auto request = std::make_shared<Request>();
    request->prompt = chance_.between(20U, prompt_max);
    request->tokens_wanted = chance_.between(5U, 300U);
    request->slow = chance_.happens(0.03);
    // What is silent by its nature hides a wedge beside it.
    request->whole = !wedges_ && chance_.happens(0.1);
    if (chance_.happens(wedges_ ? 0.05 : 0.2)) {
      timeline_.after(chance_.between(1s, 2min), [this, request] { leave(request); });
    }
    scheduling::Demand demand;
    demand.model = "m";
    demand.deadline = now() + 10h;
    demand.prompt_tokens = request->prompt;
    demand.stream = !request->whole;
    if (scheduler_->queued() > 0) deliver(scheduler_->tick(now()));
    const auto submitted = scheduler_->submit(demand, now());
    if (const auto* slot = std::get_if<Slot>(&submitted)) return begin(request, *slot);
    ASSERT_TRUE(std::holds_alternative<TicketId>(submitted)) << "refused";
    waiting_.emplace(std::get<TicketId>(submitted), request);
  }

  void begin(const RequestPointer& request, const Slot& slot) {
    Engine& engine = engines_[slot.worker.value()];
    ++engine.grants_since_recovery;
    request->slot = slot;
    request->sent = now();
    running_.push_back(request);
    // One that comes while another one's load is under way waits for that.
    if (slot.cold && engine.load_ends < now()) {
      ++loads;
      engine.prompts_done = std::max(engine.prompts_done, now()) + chance_.between(20s, 150s);
      engine.load_ends = engine.prompts_done;
      const auto worker = slot.worker.value();
      timeline_.at(engine.load_ends, [this, worker] { offer(worker, true); });
    }
    const auto prefill = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(request->prompt / engine.prompt_rate + 0.05));
    engine.prompts_done = std::max(engine.prompts_done, now()) + prefill;
    timeline_.at(engine.prompts_done, [this, request] { token(request); });
  }

  void token(const RequestPointer& request) {
    if (request->ended) return;
    const WorkerId worker = request->slot.worker;
    Engine& engine = engines_[worker.value()];
    // What a wedged engine had begun goes on when it recovers, unless that was taken away.
    if (engine.wedged()) {
      timeline_.after(1s, [this, request] { token(request); });
      return;
    }
    const bool first = request->tokens++ == 0;
    if (first) request->first_token = now();
    if (!request->whole) engine.last_bytes = now();
    if (first && !request->whole) {
      if (request->slot.watched) {
        deliver(scheduler_->first_token(request->slot, now()));
      } else {
        scheduler_->note_first_token(request->slot, now());
      }
    }
    if (request->tokens == request->tokens_wanted) return end(request, Outcome::answered);
    Duration next = engine.gap * chance_.between(1U, 4U);
    if (request->slow && !request->whole && request->tokens == 2) {
      ++slow;
      scheduler_->held_back(request->slot);
      next = chance_.between(1min, 20min);
    }
    timeline_.after(next, [this, request] { token(request); });
  }

  /// A client that waits for its first token gives up; the engine goes on with its prompt.
  void leave(const RequestPointer& request) {
    const bool runs = std::find(running_.begin(), running_.end(), request) != running_.end();
    if (!runs || request->tokens > 0) return;
    ++left;
    end(request, Outcome::abandoned);
  }

  void end(const RequestPointer& request, Outcome outcome) {
    request->ended = true;
    std::erase(running_, request);
    scheduling::Report report(outcome);
    report.sent = request->sent;
    report.prompt = ++prompts_;
    if (request->tokens > 0 && !request->whole) {
      report.first_token = request->first_token;
      report.last_token = engines_[request->slot.worker.value()].last_bytes;
      report.tokens = request->tokens;
    }
    whole += request->whole ? 1U : 0U;
    answered += outcome == Outcome::answered ? 1U : 0U;
    deliver(scheduler_->finish(request->slot, report, now()));
    timeline_.after(chance_.between(0ms, 20s), [this] { ask(); });
  }

  void wedge() {
    std::vector<std::uint32_t> well;
    for (std::uint32_t i = 0; i < engines_.size(); ++i) {
      if (!engines_[i].wedged()) well.push_back(i);
    }
    const std::uint32_t chosen =
        well[chance_.between(0U, static_cast<std::uint32_t>(well.size()) - 1)];
    Engine& engine = engines_[chosen];
    engine.wedged_since = now();
    ++wedges;
    timeline_.after(chance_.between(20min, 40min), [this, chosen] { recover(chosen); });
  }

  void recover(std::uint32_t worker) {
    Engine& engine = engines_[worker];
    engine.wedged_since = TimePoint::max();
    engine.prompts_done = now();
    engine.recovered_at = now();
    engine.grants_since_recovery = 0;
    timeline_.after(10min, [this, worker] {
      recovered += engines_[worker].grants_since_recovery > 5 ? 1U : 0U;
      if (now() < TimePoint{} + 1h + length - 1h) wedge();
    });
  }

  void deliver(const scheduling::Effects& effects) {
    for (const scheduling::Grant& grant : effects.grants) {
      const auto waiting = waiting_.extract(grant.ticket);
      begin(waiting.mapped(), grant.slot);
    }
    for (const WorkerId worker : effects.wedged) cut(worker);
  }

  /// As the shell does it: what runs there is ended.
  void cut(WorkerId worker) {
    Engine& engine = engines_[worker.value()];
    if (!engine.wedged()) {
      // One that has recovered a moment ago was silent for long enough all the same.
      found_wrongly += now() - engine.recovered_at < probe_interval ? 0U : 1U;
      return;
    }
    ++found;
    const TimePoint since = std::max(engine.wedged_since, engine.last_bytes);
    TimePoint begun = TimePoint::max();
    const auto all = running_;
    for (const RequestPointer& request : all) {
      if (request->slot.worker == worker) begun = std::min(begun, request->sent);
    }
    silences.push_back(now() - std::max(since, begun));
    for (const RequestPointer& request : all) {
      if (request->slot.worker == worker && !request->ended) end(request, Outcome::worker_fault);
    }
  }

  Chance chance_;
  Timeline timeline_;
  bool wedges_;
  scheduling::SchedulerOptions options_;
  std::vector<Engine> engines_;
  std::unique_ptr<scheduling::Scheduler> scheduler_;
  std::map<TicketId, RequestPointer> waiting_;
  std::vector<RequestPointer> running_;
  std::uint64_t prompts_ = 0;
};

TEST(WedgeHistories, of_healthy_workers_find_none_whatever_they_are_silent_for) {
  std::uint32_t slow = 0;
  std::uint32_t loads = 0;
  std::uint32_t left = 0;
  std::uint32_t whole = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WedgeHistory history(seed, false);
    history.run();
    EXPECT_EQ(history.found_wrongly, 0U) << "seed " << seed;
    EXPECT_GT(history.answered, 200U) << "seed " << seed;
    slow += history.slow;
    loads += history.loads;
    left += history.left;
    whole += history.whole;
  }
  EXPECT_GT(slow, 100U) << "nobody read slowly";
  EXPECT_GT(loads, 100U);
  EXPECT_GT(left, 100U);
  EXPECT_GT(whole, 100U);
}

TEST(WedgeHistories, find_what_is_wedged_and_nothing_else) {
  std::uint32_t wedges = 0;
  std::uint32_t found = 0;
  std::uint32_t recovered = 0;
  std::vector<Duration> silences;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WedgeHistory history(seed, true);
    history.run();
    EXPECT_EQ(history.found_wrongly, 0U) << "seed " << seed;
    silences.insert(silences.end(), history.silences.begin(), history.silences.end());
    wedges += history.wedges;
    found += history.found;
    recovered += history.recovered;
  }
  std::sort(silences.begin(), silences.end());
  EXPECT_GT(wedges, 60U);
  ASSERT_GT(silences.size(), 100U);
  // The floor and the next probe; longer where slow workers had long prompts to work off.
  EXPECT_LE(silences[silences.size() * 9 / 10], 3min);
  EXPECT_LE(silences[silences.size() * 99 / 100], 10min);
  EXPECT_GE(found, wedges * 8 / 10) << "of " << wedges;
  EXPECT_GE(recovered, wedges * 8 / 10) << "of " << wedges;
}

}  // namespace
}  // namespace lmb::history
