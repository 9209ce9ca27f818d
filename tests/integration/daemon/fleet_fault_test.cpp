// 2,000 requests while the workers of the fleet fail in turn, in every way that they can: each ends
// once, and no client sees an error that a healthy worker could have spared it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmb/bench/load.hpp"
#include "lmb/bench/target.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t request_count = 2000;
constexpr std::size_t worker_count = 4;

/// What befalls one worker for a while.
struct Trouble {
  const char* name;
  std::function<void(sim::Worker&)> begin;
  std::function<void(sim::Worker&)> end;
};

Trouble fault(const char* name, sim::Fault kind) {
  return {name, [kind](sim::Worker& worker) { worker.set_fault(kind); },
          [](sim::Worker& worker) { worker.set_fault(sim::Fault::none); }};
}

/// Something that happens once and passes by itself.
Trouble event(const char* name, std::function<void(sim::Worker&)> happens) {
  return {name, std::move(happens), [](sim::Worker&) {}};
}

constexpr const char* other_preset = "m2-ultra-8b";

/// Somebody else's request, not through the balancer, makes LM Studio load another model: that
/// evicts the one which generates.
Trouble eviction() {
  auto others = std::make_shared<std::list<RawClient>>();
  return event("evict", [others](sim::Worker& worker) {
    const auto body = R"({"model":")" + sim::find_preset(other_preset)->model.key +
                      R"(","max_tokens":2,"messages":[{"role":"user","content":"Hi"}]})";
    others->emplace_back(worker.port()).send(post("/v1/chat/completions", body));
  });
}

std::vector<Trouble> all_troubles() {
  return {
      eviction(),
      fault("refuse", sim::Fault::refuse),
      fault("close before head", sim::Fault::close_before_head),
      fault("garbage", sim::Fault::garbage),
      fault("crash told as 400", sim::Fault::error_400_crash),
      fault("500", sim::Fault::status_500),
      fault("error in stream", sim::Fault::error_in_stream),
      // Where nothing is loaded just in time, somebody loads it by hand again.
      {"crash", [](sim::Worker& worker) { worker.crash(); },
       [](sim::Worker& worker) {
         if (worker.instances().empty()) (void)worker.load(model);
       }},
      event("restart", [](sim::Worker& worker) { worker.restart(); }),
      event("unload", [](sim::Worker& worker) { worker.unload(model); }),
      {"wedge", [](sim::Worker& worker) { worker.wedge(true); },
       [](sim::Worker& worker) { worker.wedge(false); }},
      {"slow", [](sim::Worker& worker) { worker.set_slowdown(20); },
       [](sim::Worker& worker) { worker.set_slowdown(1); }},
  };
}

/// One worker is in trouble at any time, the next one when so many more requests have ended.
class Misfortune {
 public:
  explicit Misfortune(sim::Fleet& fleet) : fleet_(fleet) {}

  void follow(const bench::Progress& progress) {
    if (progress.done < next_at_) return;
    finish();
    next_at_ = progress.done + step;
    const auto& trouble = troubles_[begun_ % troubles_.size()];
    fleet_.with(begun_ % worker_count, trouble.begin);
    ++begun_;
    under_way_ = true;
  }
  void finish() {
    if (!std::exchange(under_way_, false)) return;
    const auto last = begun_ - 1;
    fleet_.with(last % worker_count, troubles_[last % troubles_.size()].end);
  }
  [[nodiscard]] std::size_t begun() const { return begun_; }
  [[nodiscard]] std::size_t kinds() const { return troubles_.size(); }

 private:
  static constexpr std::size_t step = 80;

  sim::Fleet& fleet_;
  const std::vector<Trouble> troubles_ = all_troubles();
  std::size_t begun_ = 0;
  std::size_t next_at_ = step;
  bool under_way_ = false;
};

/// On disk: what a request loads may be evicted.
sim::ModelOptions on_disk(std::string_view preset) {
  sim::ModelOptions options;
  options.preset = *sim::find_preset(preset);
  options.loaded = false;
  options.load_time = 300ms;  // 30 ms here.
  return options;
}

DaemonOptions fleet() {
  DaemonOptions options;
  options.adjust_worker = [](sim::WorkerOptions& worker) {
    worker.models = {on_disk(sim::default_preset), on_disk(other_preset)};
  };
  // One of them loads nothing by itself.
  options.adjust_one = [](std::size_t index, sim::WorkerOptions& worker) {
    if (index != worker_count - 1) return;
    worker.jit = false;
    worker.models.front().loaded = true;
  };
  options.workers = worker_count;
  options.threads = 2;
  options.speed = 10;
  options.adjust = [](config::Config& config) {
    // Time runs faster here than in an office: so must everything that measures health.
    config.upstream.probe_interval = 50ms;
    config.scheduling.health.breaker_open = 200ms;
    config.scheduling.health.breaker_open_max = 1s;
    config.scheduling.health.slow_start = 300ms;
    config.scheduling.health.wedge_floor = 1s;
    config.retry.budget_min_per_second *= 10;
  };
  return options;
}

TEST(FleetFaults, no_client_sees_an_error_that_a_healthy_worker_could_have_spared_it) {
  Daemon daemon(fleet());
  Misfortune misfortune(daemon.fleet());
  bench::LoadPlan plan;
  plan.target = bench::parse_target(daemon.url()).value();
  plan.model = model;
  plan.concurrency = 16;
  plan.requests = request_count;
  plan.prompt_tokens = 16;
  plan.max_tokens = 24;
  plan.timeout = 100s;
  plan.seed = 5;
  plan.on_progress = [&](const bench::Progress& progress) { misfortune.follow(progress); };
  const auto report = bench::run_load(plan);
  misfortune.finish();

  ASSERT_EQ(report.samples.size(), request_count) << "each ends once";
  EXPECT_GE(misfortune.begun(), misfortune.kinds()) << "every kind of trouble was met";
  std::map<std::string, std::size_t> cut;
  for (const auto& sample : report.samples) {
    if (sample.outcome == bench::Outcome::complete) continue;
    // From the first token on, the answer is the client's: a second one cannot be joined to it.
    const bool past_commit_point = sample.status == 200 && sample.first_token.has_value();
    EXPECT_TRUE(past_commit_point) << "request " << sample.index << ": "
                                   << bench::failure_label(sample) << ": " << sample.error_message;
    ++cut[bench::failure_label(sample)];
  }
  std::uint64_t killed = 0;
  for (std::size_t i = 0; i < worker_count; ++i) killed += daemon.fleet().counters(i).killed;
  EXPECT_GT(killed, 0U) << "crashes, unloads and evictions met running requests";
  std::size_t all_cut = 0;
  for (const auto& [why, count] : cut) {
    std::cout << count << " answers cut after their first token: " << why << '\n';
    all_cut += count;
  }
  EXPECT_LT(all_cut, request_count / 20) << "only what ran on a worker when it broke";
  EXPECT_TRUE(eventually([&] { return daemon.in_flight() == 0; }));
  EXPECT_EQ(daemon.server().fleet().queued, 0U);
}

}  // namespace
}  // namespace lmb::test
