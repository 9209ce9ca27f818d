// How late a shard's tick comes, from the thing that held the shard to the page that is scraped.
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <string>

#include "lmb/proxy/front.hpp"
#include "turned_loop.hpp"

namespace lmb::proxy {
namespace {

using std::chrono::milliseconds;

class LoopLagTest : public ::testing::Test {
 protected:
  LoopLagTest() {
    manual_clock::reset();
    scheduling::WorkerSpec worker;
    worker.name = "w0";
    dispatch::Dispatcher::Setup setup;
    setup.fleet.push_back(worker);
    setup.shards = {shard.context().get_executor()};
    dispatcher = std::make_unique<dispatch::Dispatcher>(setup);
    shared = std::make_unique<Shared>(ProxyOptions(), *dispatcher, metrics);
    auto log = telemetry::AccessLog::open("", {"w0"});
    front = std::make_unique<Front>(shard, *shared, std::move(*log), 1);
    shard.on_tick([this](TimePoint, Duration) { ++ticks; });
    shard.start();
  }
  ~LoopLagTest() override {
    shard.stop();
    shard.join();
  }

  /// A handler that holds the shard for `held` of virtual time, and the tick that comes after it.
  void hold(Duration held) {
    const int before = ticks;
    boost::asio::post(shard.context(), [held] { manual_clock::advance(held); });
    boost::asio::io_context idle;
    EXPECT_TRUE(test::run_until(idle, [&] { return ticks > before; })) << "no tick came";
    EXPECT_EQ(ticks, before + 1);
  }
  /// The value of a series of the page; empty when it is not there.
  std::string series(const std::string& suffix) {
    const auto page = metrics.render();
    const auto name = "\nlmbalancer_loop_lag_seconds" + suffix + " ";
    const auto at = page.find(name);
    if (at == std::string::npos) return {};
    const auto begin = at + name.size();
    return page.substr(begin, page.find('\n', begin) - begin);
  }
  std::string up_to(const std::string& bound) {
    return series("_bucket{shard=\"0\",le=\"" + bound + "\"}");
  }

  telemetry::Metrics metrics{{"w0"}, {}, {}};
  net::Shard shard{0, [](const char* what) { ADD_FAILURE() << what; }};
  std::unique_ptr<dispatch::Dispatcher> dispatcher;
  std::unique_ptr<Shared> shared;
  std::unique_ptr<Front> front;
  std::atomic<int> ticks{0};
};

TEST_F(LoopLagTest, a_blocked_shard_is_seen_in_the_histogram) {
  hold(net::DeadlineList::tick_interval);
  EXPECT_EQ(up_to("0.0001"), "1") << "a tick in time is not late";
  EXPECT_EQ(series("_sum{shard=\"0\"}"), "0");
  hold(net::DeadlineList::tick_interval + milliseconds(700));
  EXPECT_EQ(series("_count{shard=\"0\"}"), "2");
  EXPECT_EQ(series("_sum{shard=\"0\"}"), "0.7");
  EXPECT_EQ(up_to("0.5"), "1");
  EXPECT_EQ(up_to("1"), "2");
}

TEST_F(LoopLagTest, a_lag_is_told_once_and_not_carried_on) {
  hold(std::chrono::seconds(3));
  EXPECT_EQ(up_to("1"), "0");
  EXPECT_EQ(up_to("+Inf"), "1");
  for (int i = 0; i < 5; ++i) hold(net::DeadlineList::tick_interval);
  EXPECT_EQ(series("_count{shard=\"0\"}"), "6");
  EXPECT_EQ(up_to("0.0001"), "5");
}

TEST_F(LoopLagTest, deadlines_that_pass_while_the_shard_is_held_pass_at_its_next_tick) {
  net::Bell bell;
  bool passed = false;
  {
    net::Deadline deadline(shard.deadlines(), bell);
    boost::asio::post(shard.context(),
                      [&] { deadline.set(Clock::now() + std::chrono::seconds(1)); });
    hold(std::chrono::seconds(2));
    boost::asio::io_context idle;
    std::atomic<bool> asked{false};
    boost::asio::post(shard.context(), [&] {
      passed = deadline.passed();
      asked = true;
    });
    EXPECT_TRUE(test::run_until(idle, [&] { return asked.load(); }));
  }
  EXPECT_TRUE(passed);
}

}  // namespace
}  // namespace lmb::proxy
