// The fleet watch with real sockets, on a virtual clock, with a name server in the test's hands.
#include "lmb/upstream/fleet_watch.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "integration/shell/turned_loop.hpp"
#include "lmb/http/server.hpp"

namespace lmb::test {
namespace {

using namespace std::chrono_literals;
using net::Endpoints;

using Bodies = std::map<std::string, std::string>;

const std::string newest_list = R"({"models":[{"type":"llm","key":"m","loaded_instances":[]}]})";
const std::string oldest_list = R"({"object":"list","data":[{"id":"m","object":"model"}]})";

/// A name server whose answers the test decides; a name that is `held` is not answered yet.
class Names {
 public:
  void set(const std::string& host, Endpoints endpoints) {
    const std::lock_guard lock(mutex_);
    known_[host] = std::move(endpoints);
  }
  void hold() {
    const std::lock_guard lock(mutex_);
    speak_ = std::promise<void>();
    answer_ = speak_.get_future().share();
  }
  void release() { speak_.set_value(); }
  [[nodiscard]] int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  Result<Endpoints> look_up(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_;
    const auto held = answer_;
    lock.unlock();
    if (held.valid() && host != "quick") held.wait();
    lock.lock();
    const auto found = known_.find(host);
    if (found == known_.end()) return Error(ErrorKind::connect_failed, "cannot resolve " + host);
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Endpoints> known_;
  std::promise<void> speak_;
  std::shared_future<void> answer_;
  int asked_ = 0;
};

class FleetWatchTest : public TurnedLoop {
 protected:
  /// A worker that answers these bodies by path, else as LM Studio does to unknown paths.
  tcp::endpoint serve(const Bodies& bodies) {
    auto& answers = bodies_.emplace_back(std::make_unique<Bodies>(bodies));
    const auto handle = [this, &known = *answers](http::Exchange& exchange) {
      if (on_list && exchange.request().path() == "/api/v1/models") on_list();
      const bool older = exchange.request().path() == "/api/v0/models";
      return answer(known, exchange, older ? may_answer : nullptr);
    };
    servers_.push_back(std::make_unique<http::Server>(shard.context().get_executor(),
                                                      http::ServerOptions(), handle));
    return servers_.back()->listen(loopback()).value();
  }

  upstream::FleetWatch& watch(const std::vector<std::string>& hosts) {
    upstream::FleetWatch::Setup setup;
    setup.options.probe_interval = 5s;
    setup.options.probe_timeout = 2s;
    setup.options.resolve_interval = 60s;
    for (const auto& host : hosts) {
      upstream::WorkerAddress address;
      address.name = host;
      address.host = host;
      setup.workers.push_back(address);
    }
    setup.news.on_probe = [this](WorkerId worker, const upstream::ProbeResult& result) {
      probes[worker.value()].push_back(result);
    };
    setup.news.on_failure = [this](WorkerId worker, ErrorKind kind) {
      failures[worker.value()].push_back(kind);
    };
    setup.news.on_endpoints = [this](WorkerId worker, Endpoints endpoints) {
      moves[worker.value()].push_back(std::move(endpoints));
    };
    setup.news.on_catalogue = [this](WorkerId, const protocol::ModelCatalogue& catalogue) {
      catalogues.push_back(catalogue);
    };
    setup.on_escape = [](const char* what) { ADD_FAILURE() << what; };
    setup.look_up = [names = names](const std::string& host, std::uint16_t) {
      return names->look_up(host);
    };
    watch_ = std::make_unique<upstream::FleetWatch>(shard, std::move(setup));
    watch_->start();
    return *watch_;
  }
  void end_watch() { watch_.reset(); }

  bool probed(std::uint32_t worker, std::size_t count) {
    return until([&] { return probes[worker].size() >= count; });
  }
  /// Lets the interval between probes pass and waits for the next one.
  bool probed_again(std::uint32_t worker) {
    const auto count = probes[worker].size();
    pass(5s);
    return probed(worker, count + 1);
  }
  Bodies& bodies(std::size_t server) { return *bodies_[server]; }

  std::shared_ptr<Names> names = std::make_shared<Names>();
  std::map<std::uint32_t, std::vector<upstream::ProbeResult>> probes;
  std::map<std::uint32_t, std::vector<ErrorKind>> failures;
  std::map<std::uint32_t, std::vector<Endpoints>> moves;
  std::vector<protocol::ModelCatalogue> catalogues;
  std::function<void()> on_list;     ///< Called when a worker is asked for its richest list.
  std::function<bool()> may_answer;  ///< No older list is told before it says so.

 private:
  static asio::awaitable<void> answer(const Bodies& known, http::Exchange& exchange,
                                      std::function<bool()> may_answer) {
    while (may_answer && !may_answer()) {
      asio::steady_timer pause(exchange.executor(), 1ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
    const auto found = known.find(std::string(exchange.request().path()));
    const std::string body =
        found == known.end() ? R"({"error":"Unexpected endpoint"})" : found->second;
    co_await exchange.respond(200, "application/json", body);
  }

  std::vector<std::unique_ptr<Bodies>> bodies_;
  std::vector<std::unique_ptr<http::Server>> servers_;
  std::unique_ptr<upstream::FleetWatch> watch_;
};

TEST_F(FleetWatchTest, a_silent_name_server_holds_up_only_the_worker_it_is_asked_for) {
  const auto worker = serve({{"/api/v1/models", newest_list}});
  names->set("slow", {worker});
  names->set("quick", {worker});
  names->hold();
  watch({"slow", "quick"});
  ASSERT_TRUE(probed(1, 1));
  EXPECT_TRUE(probes[1][0].alive);
  EXPECT_TRUE(probes[0].empty()) << "nothing is known of it yet";
  pass(2s);
  ASSERT_TRUE(probed(0, 1));
  EXPECT_FALSE(probes[0][0].alive);
  EXPECT_FALSE(probes[0][0].timed_out) << "the worker was never asked";
  EXPECT_EQ(failures[0], (std::vector{ErrorKind::connect_failed}));
  names->release();
  ASSERT_TRUE(until([&] { return !moves[0].empty(); }));
  pass(50ms);
  ASSERT_TRUE(probed(0, 2)) << "at once, not at the next interval";
  EXPECT_TRUE(probes[0][1].alive);
}

TEST_F(FleetWatchTest, a_worker_that_joins_is_probed_at_once) {
  names->set("mac", {serve({{"/api/v1/models", newest_list}})});
  auto& fleet = watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  upstream::WorkerAddress address;
  address.name = address.host = "mac";
  fleet.add(WorkerId(5), address);
  ASSERT_TRUE(probed(5, 1));
  EXPECT_TRUE(probes[5][0].alive);
  EXPECT_EQ(moves[5].size(), 1U);
  EXPECT_EQ(catalogues.size(), 2U);
}

TEST_F(FleetWatchTest, nothing_is_told_of_a_worker_that_left) {
  tcp::acceptor silent(shard.context(), loopback());
  names->set("silent", {silent.local_endpoint()});
  names->set("mac", {serve({{"/api/v1/models", newest_list}})});
  auto& fleet = watch({"silent", "mac"});
  ASSERT_TRUE(until([&] { return !moves[0].empty(); }));
  ASSERT_TRUE(probed(1, 1));
  fleet.remove(WorkerId(0));
  fleet.look_again(WorkerId(0));
  pass(2s);  // The probe that was under way gives up.
  ASSERT_TRUE(probed_again(1));
  EXPECT_TRUE(probes[0].empty());
  EXPECT_TRUE(failures[0].empty());
  upstream::WorkerAddress address;
  address.name = address.host = "mac";
  fleet.add(WorkerId(0), address);
  ASSERT_TRUE(probed(0, 1)) << "its place can be taken";
  EXPECT_TRUE(probes[0][0].alive);
}

TEST_F(FleetWatchTest, a_late_look_up_of_a_worker_that_left_is_dropped) {
  names->set("slow", {serve({{"/api/v1/models", newest_list}})});
  names->hold();
  auto& fleet = watch({"slow"});
  ASSERT_TRUE(until([&] { return names->asked() == 1; }));
  fleet.remove(WorkerId(0));
  upstream::WorkerAddress address;
  address.name = address.host = "quick";
  names->set("quick", {serve({{"/api/v1/models", newest_list}})});
  fleet.add(WorkerId(1), address);
  names->release();
  ASSERT_TRUE(probed(1, 1));
  EXPECT_TRUE(moves[0].empty());
  EXPECT_TRUE(probes[0].empty());
}

TEST_F(FleetWatchTest, asks_a_silent_name_server_once) {
  names->hold();
  watch({"slow"});
  ASSERT_TRUE(until([&] { return names->asked() == 1; }));
  pass(2s);
  for (std::size_t i = 1; i < 5; ++i) {
    ASSERT_TRUE(probed(0, i));
    pass(5s);  // The next probe begins,
    pass(2s);  // and gives up waiting for an address.
  }
  EXPECT_EQ(names->asked(), 1);
  names->release();
}

TEST_F(FleetWatchTest, goes_on_with_the_addresses_known_while_a_look_up_is_under_way) {
  names->set("mac", {serve({{"/api/v1/models", newest_list}})});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  names->hold();
  pass(61s);
  ASSERT_TRUE(until([&] { return names->asked() == 2; }));
  ASSERT_TRUE(probed(0, 2));
  ASSERT_TRUE(probed_again(0));
  EXPECT_TRUE(probes[0].back().alive);
  names->release();
}

TEST_F(FleetWatchTest, keeps_the_addresses_when_the_name_server_knows_them_no_more) {
  names->set("mac", {serve({{"/api/v1/models", newest_list}})});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  names->hold();  // The name is asked again, and is unknown now.
  pass(61s);
  ASSERT_TRUE(probed(0, 2));
  names->release();
  ASSERT_TRUE(probed_again(0));
  EXPECT_TRUE(probes[0].back().alive);
  EXPECT_EQ(moves[0].size(), 1U);
  EXPECT_TRUE(failures[0].empty()) << "a name server's fault is not the worker's";
}

TEST_F(FleetWatchTest, the_same_addresses_in_another_order_are_no_news) {
  const auto a = serve({{"/api/v1/models", newest_list}});
  const auto b = serve({{"/api/v1/models", newest_list}});
  names->set("mac", {a, b});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  names->set("mac", {b, a});
  pass(61s);
  ASSERT_TRUE(until([&] { return names->asked() == 2; }));
  ASSERT_TRUE(probed_again(0));
  ASSERT_EQ(moves[0].size(), 1U);
  EXPECT_EQ(moves[0][0], (Endpoints{a, b}));
}

TEST_F(FleetWatchTest, new_addresses_are_news) {
  const auto a = serve({{"/api/v1/models", newest_list}});
  const auto b = serve({{"/api/v1/models", newest_list}});
  names->set("mac", {a});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  names->set("mac", {b});
  pass(61s);
  EXPECT_TRUE(until([&] { return moves[0].size() == 2; }));
  EXPECT_EQ(moves[0].back(), (Endpoints{b}));
}

TEST_F(FleetWatchTest, the_address_where_lm_studio_answers_leads) {
  const auto printer = serve({{"/api/v1/models", "<html>"}});
  const auto studio = serve({{"/api/v1/models", newest_list}});
  names->set("mac", {printer, studio});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  EXPECT_TRUE(probes[0][0].alive);
  EXPECT_EQ(moves[0].back(), (Endpoints{studio, printer}));
}

TEST_F(FleetWatchTest, five_seconds_lie_between_the_begins_of_two_probes) {
  names->set("mac", {serve({{"/v1/models", oldest_list}})});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  pass(5s - 1ns);
  EXPECT_EQ(probes[0].size(), 1U);
  pass(1ns);
  EXPECT_TRUE(probed(0, 2));
}

TEST_F(FleetWatchTest, a_worker_that_does_not_answer_in_time_is_told_apart) {
  tcp::acceptor silent(peers, loopback());
  names->set("mac", {silent.local_endpoint()});
  watch({"mac"});
  ASSERT_TRUE(until([&] { return !moves[0].empty(); }));
  pass(2s - 1ns);
  EXPECT_TRUE(probes[0].empty());
  pass(1ns);
  ASSERT_TRUE(probed(0, 1));
  EXPECT_FALSE(probes[0][0].alive);
  EXPECT_TRUE(probes[0][0].timed_out);
}

TEST_F(FleetWatchTest, looks_for_the_richest_list_again_when_the_name_was_looked_up) {
  const auto worker = serve({{"/v1/models", oldest_list}});
  names->set("mac", {worker});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  ASSERT_EQ(catalogues.size(), 1U);
  EXPECT_FALSE(catalogues[0].tells_loaded);
  bodies(0)["/api/v1/models"] = newest_list;
  ASSERT_TRUE(probed_again(0));
  EXPECT_EQ(catalogues.size(), 1U) << "one list is asked for, not three each time";
  names->set("mac", {worker, serve({{"/v1/models", oldest_list}})});
  pass(61s);
  ASSERT_TRUE(until([&] { return moves[0].size() == 2; }));
  ASSERT_TRUE(probed(0, 3)) << "the one that was under way";
  ASSERT_TRUE(probed_again(0));
  ASSERT_EQ(catalogues.size(), 2U);
  EXPECT_TRUE(catalogues[1].tells_loaded);
}

TEST_F(FleetWatchTest, a_look_up_that_ends_within_a_probe_is_not_forgotten) {
  const auto worker = serve({{"/api/v0/models", newest_list}});
  names->set("mac", {worker});
  watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  bodies(0)["/api/v1/models"] = newest_list;
  names->set("mac", {worker, serve({})});
  names->hold();
  int richest = 0;
  bool released = false;
  on_list = [&] { ++richest; };
  may_answer = [&] {
    if (names->asked() == 2 && !std::exchange(released, true)) names->release();
    return moves[0].size() == 2;
  };
  pass(61s);
  ASSERT_TRUE(probed(0, 2));
  EXPECT_EQ(richest, 0);
  may_answer = nullptr;
  ASSERT_TRUE(probed_again(0));
  EXPECT_EQ(richest, 1);
}

TEST_F(FleetWatchTest, a_doubted_list_is_read_again_and_told_though_it_is_the_same) {
  names->set("mac", {serve({{"/api/v1/models", newest_list}})});
  auto& fleet = watch({"mac"});
  ASSERT_TRUE(probed(0, 1));
  ASSERT_EQ(catalogues.size(), 1U);
  fleet.read_again(WorkerId(0));
  pass(1s);
  ASSERT_TRUE(probed(0, 2)) << "sooner than the interval";
  EXPECT_EQ(catalogues.size(), 2U);
  ASSERT_TRUE(probed_again(0));
  EXPECT_EQ(catalogues.size(), 2U) << "once";
}

TEST_F(FleetWatchTest, a_list_that_was_asked_for_before_the_doubt_is_not_believed) {
  names->set("mac", {serve({{"/api/v1/models", newest_list}})});
  auto& fleet = watch({"mac"});
  on_list = [&] { fleet.read_again(WorkerId(0)); };
  ASSERT_TRUE(probed(0, 1));
  EXPECT_TRUE(probes[0][0].alive);
  EXPECT_TRUE(catalogues.empty());
  on_list = nullptr;
  pass(1s);
  ASSERT_TRUE(probed(0, 2)) << "the doubt was lost with the probe";
  EXPECT_EQ(catalogues.size(), 1U);
}

TEST_F(FleetWatchTest, its_end_does_not_wait_for_a_look_up) {
  names->set("slow", {serve({{"/api/v1/models", newest_list}})});
  names->hold();
  watch({"slow"});
  ASSERT_TRUE(until([&] { return names->asked() == 1; }));
  end_watch();
  names->release();
  turn();
  EXPECT_TRUE(moves.empty());
  EXPECT_TRUE(probes.empty());
}

}  // namespace
}  // namespace lmb::test
