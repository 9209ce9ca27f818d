// What the dispatcher is told from outside: time, the fleet, the end.
#include "lmb/dispatch/dispatcher.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "lmb/telemetry/metrics.hpp"
#include "two_shards.hpp"

namespace lmb::dispatch {
namespace {

using std::chrono::seconds;
using Outcome = scheduling::Outcome;

class DispatcherTest : public TwoShards {
 protected:
  DispatcherTest() {
    setup.on_wedged = [this](WorkerId worker) { wedged.push_back(worker); };
  }
  [[nodiscard]] Lease run_stream() const {
    auto demand = patient();
    demand.prompt_tokens = 1000;
    demand.stream = true;
    net::Bell bell;
    Acquisition acquisition(*dispatcher, 0, demand, bell);
    auto lease = std::move(*acquisition.take());
    lease.note_sent(Clock::now());
    return lease;
  }
  /// Twenty answers: a second for the prompt, another for twenty tokens.
  void learn_pace() {
    for (int i = 0; i < 20; ++i) {
      auto lease = run_stream();
      manual_clock::advance(seconds(1));
      lease.note_first_token(Clock::now());
      manual_clock::advance(seconds(1));
      scheduling::Report report(Outcome::answered);
      report.tokens = 20;
      report.last_token = Clock::now();
      lease.finish(report);
    }
  }

  std::vector<WorkerId> wedged;
};

TEST_F(DispatcherTest, a_deadline_refuses_exactly_when_it_passes) {
  start(1, 1);
  const auto running = hold_a_slot();
  const Waiter waiter(*dispatcher, 1, patient(seconds(10)));
  const auto deadline = Clock::now() + seconds(10);
  dispatcher->tick(deadline - Duration(1));
  EXPECT_EQ(turn(b), 0U);
  EXPECT_FALSE(waiter.settled());
  EXPECT_EQ(queued(), 1U);
  dispatcher->tick(deadline);
  EXPECT_EQ(queued(), 0U);
  EXPECT_EQ(turn(a), 0U);
  EXPECT_EQ(turn(b), 1U);
  EXPECT_EQ(waiter.refused(), ErrorKind::queue_timeout);
}

TEST_F(DispatcherTest, a_grant_under_way_wins_over_the_deadline) {
  start(1, 1);
  auto running = hold_a_slot();
  const Waiter waiter(*dispatcher, 1, patient(seconds(10)));
  running.finish(Outcome::answered);
  manual_clock::advance(seconds(20));
  dispatcher->tick(Clock::now());
  EXPECT_EQ(turn(b), 1U) << "one news, not two";
  ASSERT_TRUE(waiter.settled());
  EXPECT_TRUE(waiter.acquisition->take().has_value());
}

TEST_F(DispatcherTest, ticks_without_waiters_do_nothing) {
  start(1, 1);
  const auto running = hold_a_slot();
  for (int i = 0; i < 100; ++i) {
    manual_clock::advance(seconds(60));
    dispatcher->tick(Clock::now());
  }
  EXPECT_EQ(turn(a) + turn(b), 0U);
  EXPECT_EQ(in_flight(), 1U);
}

TEST_F(DispatcherTest, each_refusal_has_its_error) {
  setup.options.queue_length = 1;
  setup.options.no_worker_grace = Duration::zero();
  setup.options.startup_grace = Duration::zero();
  start(1, 1);
  EXPECT_EQ(Waiter(*dispatcher, 0, patient(seconds(-1))).refused(), std::nullopt)
      << "a deadline in the past does not forbid a free slot";
  auto running = hold_a_slot();
  const auto waiting = wait_on(0);
  EXPECT_EQ(wait_on(0).refused(), ErrorKind::queue_full);
  auto demand = patient();
  demand.model = "unknown";
  EXPECT_EQ(Waiter(*dispatcher, 0, demand).refused(), ErrorKind::model_not_found);
  demand.model = "m";
  demand.tried.insert(w0);
  EXPECT_EQ(Waiter(*dispatcher, 0, demand).refused(), ErrorKind::no_worker);
  for (int i = 0; i < 3; ++i) dispatcher->observe_probe(w0, false);
  EXPECT_EQ(wait_on(0).refused(), ErrorKind::no_worker);
  dispatcher->close();
  EXPECT_EQ(wait_on(0).refused(), ErrorKind::shutting_down);
}

TEST_F(DispatcherTest, closing_refuses_the_waiting_and_the_coming_and_lets_the_running_end) {
  start(1, 1);
  auto running = hold_a_slot();
  const auto on_a = wait_on(0);
  const auto on_b = wait_on(1);
  dispatcher->close();
  EXPECT_EQ(queued(), 0U);
  EXPECT_EQ(wait_on(0).refused(), ErrorKind::shutting_down) << "at once, without waiting";
  EXPECT_EQ(turn(a), 1U);
  EXPECT_EQ(turn(b), 1U);
  EXPECT_EQ(on_a.refused(), ErrorKind::shutting_down);
  EXPECT_EQ(on_b.refused(), ErrorKind::shutting_down);
  EXPECT_EQ(in_flight(), 1U);
  running.finish(Outcome::answered);
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_EQ(wait_on(1).refused(), ErrorKind::shutting_down) << "a free slot reopens nothing";
  dispatcher->close();
  EXPECT_EQ(turn(a) + turn(b), 0U) << "closed twice is closed once";
}

TEST_F(DispatcherTest, more_slots_let_the_waiting_in_at_once) {
  scheduling::WorkerSpec spec;
  spec.name = "automatic";
  setup.fleet.push_back(spec);
  setup.options.slots_unknown = 1;
  start(0, 0);
  dispatcher->set_offers(w0, offers_of("m", 1));
  dispatcher->observe_probe(w0, true);
  const auto running = hold_a_slot();
  const auto on_a = wait_on(0);
  const auto on_b = wait_on(1);
  dispatcher->set_offers(w0, offers_of("m", 3));
  EXPECT_EQ(turn(a), 1U);
  EXPECT_EQ(turn(b), 1U);
  EXPECT_TRUE(on_a.settled());
  EXPECT_TRUE(on_b.settled());
}

TEST_F(DispatcherTest, a_draining_worker_gets_nothing_until_it_is_undrained) {
  start(1, 2);
  auto running = hold_a_slot();
  dispatcher->set_draining(w0, true);
  EXPECT_FALSE(dispatcher->any_up());
  const auto waiter = wait_on(1);
  running.finish(Outcome::answered);
  EXPECT_EQ(turn(b), 0U);
  dispatcher->set_draining(w0, false);
  EXPECT_EQ(turn(b), 1U);
  EXPECT_TRUE(waiter.settled());
}

TEST_F(DispatcherTest, a_worker_that_comes_up_serves_those_that_wait_for_it) {
  start(2, 1);
  const auto first = hold_a_slot();
  for (int i = 0; i < 3; ++i) dispatcher->observe_probe(w1, false);
  const auto waiter = wait_on(1);
  EXPECT_FALSE(waiter.settled());
  dispatcher->observe_probe(w1, true);
  EXPECT_EQ(turn(b), 0U);
  dispatcher->observe_probe(w1, true);
  EXPECT_EQ(turn(b), 1U);
  auto lease = waiter.acquisition->take();
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->worker(), w1);
}

TEST_F(DispatcherTest, transitions_are_counted_by_worker) {
  telemetry::Metrics metrics({"w0", "w1"}, {}, {});
  setup.metrics = &metrics;
  start(2, 1);
  for (int i = 0; i < 3; ++i) dispatcher->observe_probe(w1, false);
  const auto page = metrics.render();
  const auto shows = [&](const std::string& line) {
    return page.find(line + "\n") != std::string::npos;
  };
  EXPECT_TRUE(shows(R"(lmbalancer_worker_health_transitions_total{to="up",worker="w0"} 1)"))
      << page;
  EXPECT_TRUE(shows(R"(lmbalancer_worker_health_transitions_total{to="up",worker="w1"} 1)"));
  EXPECT_TRUE(shows(R"(lmbalancer_worker_health_transitions_total{to="down",worker="w1"} 1)"));
  EXPECT_TRUE(shows(R"(lmbalancer_worker_health_transitions_total{to="down",worker="w0"} 0)"));
}

TEST_F(DispatcherTest, a_worker_under_suspicion_did_not_come_up_again) {
  telemetry::Metrics metrics({"w0"}, {}, {});
  setup.metrics = &metrics;
  start(1, 1);
  dispatcher->observe_probe(w0, false);
  dispatcher->observe_probe(w0, true);
  const auto page = metrics.render();
  const auto shows = [&](const std::string& line) {
    return page.find("lmbalancer_worker_health_transitions_total{to=\"" + line + "\n") !=
           std::string::npos;
  };
  EXPECT_TRUE(shows(R"(suspect",worker="w0"} 1)")) << page;
  EXPECT_TRUE(shows(R"(up",worker="w0"} 2)")) << "at the start, and cleared";
  EXPECT_TRUE(shows(R"(down",worker="w0"} 0)"));
}

TEST_F(DispatcherTest, tells_who_was_found_wedged) {
  start(1, 1);
  learn_pace();
  auto slow_reader = run_stream();
  slow_reader.note_held_back();
  manual_clock::advance(seconds(3600));
  dispatcher->observe_probe(w0, true);
  EXPECT_TRUE(wedged.empty()) << "nobody listens to it";
  slow_reader.finish(Outcome::answered);
  const auto silent = run_stream();
  manual_clock::advance(seconds(3600));
  dispatcher->observe_probe(w0, true);
  EXPECT_EQ(wedged, std::vector<WorkerId>{w0});
}

TEST_F(DispatcherTest, nobody_is_wedged_because_this_machine_slept) {
  start(1, 1);
  learn_pace();
  dispatcher->tick(Clock::now());
  const auto silent = run_stream();
  manual_clock::advance(seconds(3600));
  dispatcher->observe_probe(w0, true);
  EXPECT_TRUE(wedged.empty()) << "nobody could hear it";
  for (int second = 0; second < 61; ++second) {
    dispatcher->tick(Clock::now());
    manual_clock::advance(seconds(1));
  }
  dispatcher->observe_probe(w0, true);
  EXPECT_EQ(wedged, std::vector<WorkerId>{w0}) << "now it has had its time";
}

TEST_F(DispatcherTest, tells_when_to_try_again_from_what_it_has_measured) {
  start(1, 1);
  EXPECT_EQ(dispatcher->retry_after_seconds(), 1U) << "a slot is free";
  for (int i = 0; i < 20; ++i) {
    auto lease = hold_a_slot();
    manual_clock::advance(seconds(4));
    lease.finish(Outcome::answered);
  }
  const auto running = hold_a_slot();
  EXPECT_EQ(dispatcher->retry_after_seconds(), 4U) << "a finish each 4 s, nobody else waits";
  const auto waiting = wait_on(0);
  EXPECT_EQ(dispatcher->retry_after_seconds(), 8U);
}

TEST_F(DispatcherTest, knows_its_workers_names) {
  start(2, 1);
  EXPECT_EQ(dispatcher->worker_name(w0), "w0");
  EXPECT_EQ(dispatcher->worker_name(w1), "w1");
}

}  // namespace
}  // namespace lmb::dispatch
