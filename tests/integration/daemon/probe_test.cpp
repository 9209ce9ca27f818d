// How the daemon finds out what a worker is: by the bodies of its answers, not by their status.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "lmb/http/server.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

namespace asio = boost::asio;
using scheduling::WorkerState;

using Answers = std::map<std::string, std::string>;

/// A worker that answers 200 with these bodies by path, and as LM Studio does, also 200, to any
/// other path; it can be told to answer with another status.
class ListingWorker {
 public:
  explicit ListingWorker(Answers answers, unsigned status = 200)
      : answers_(std::move(answers)),
        status_(status),
        server_(context_.get_executor(), {},
                [this](http::Exchange& exchange) { return serve(exchange); }) {
    port_ = server_.listen({asio::ip::address_v4::loopback(), 0}).value().port();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~ListingWorker() {
    asio::post(context_, [this] { server_.stop(); });
    thread_.join();
  }
  ListingWorker(const ListingWorker&) = delete;
  ListingWorker& operator=(const ListingWorker&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void answer(const std::string& path, const std::string& body) {
    const std::lock_guard lock(mutex_);
    answers_[path] = body;
  }
  [[nodiscard]] std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  asio::awaitable<void> serve(http::Exchange& exchange) {
    const auto body = find(std::string(exchange.request().path()));
    co_await exchange.respond(status_, "application/json", body);
  }
  std::string find(const std::string& path) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(path);
    const auto found = answers_.find(path);
    if (found != answers_.end()) return found->second;
    return R"({"error":"Unexpected endpoint or method. (GET )" + path + ")\"}";
  }

  mutable std::mutex mutex_;
  Answers answers_;                 // guarded by mutex_
  std::vector<std::string> asked_;  // guarded by mutex_
  unsigned status_;
  asio::io_context context_{1};
  http::Server server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

DaemonOptions only(const ListingWorker& worker) {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 1;
  options.adjust = [port = worker.port()](config::Config& config) {
    config.addresses[0].port = port;
    config.upstream.probe_interval = std::chrono::milliseconds(20);
  };
  return options;
}

WorkerState state_of(Daemon& daemon) {
  return daemon.server().fleet().workers[0].state;
}

std::string models_of(const Daemon& daemon) {
  RawClient client(daemon.port());
  client.send(get("/v1/models"));
  return client.read_answer().body;
}

const std::string greeting = R"({"lmstudio":true})";
const std::string list_v1 = R"({"models":[{"type":"llm","key":"newest","loaded_instances":)"
                            R"([{"id":"newest","config":{"parallel":7}}]}]})";
const std::string list_v0 =
    R"({"object":"list","data":[{"id":"older","object":"model","type":"llm","state":"loaded"}]})";
const std::string list_openai =
    R"({"object":"list","data":[{"id":"plain","object":"model","owned_by":"x"}]})";

TEST(Probe, greets_first_and_then_asks_for_the_richest_list) {
  const ListingWorker worker({{"/lmstudio-greeting", greeting},
                              {"/api/v1/models", list_v1},
                              {"/api/v0/models", list_v0},
                              {"/v1/models", list_openai}});
  Daemon daemon(only(worker));
  EXPECT_TRUE(state_of(daemon) == WorkerState::up);
  EXPECT_EQ(daemon.server().fleet().workers[0].slots, 7U);
  EXPECT_NE(models_of(daemon).find("\"newest\""), std::string::npos);
  const auto asked = worker.asked();
  ASSERT_GE(asked.size(), 2U);
  EXPECT_EQ(asked[0], "/lmstudio-greeting");
  EXPECT_EQ(asked[1], "/api/v1/models");
}

TEST(Probe, takes_the_lists_of_older_workers) {
  const ListingWorker older({{"/lmstudio-greeting", greeting}, {"/api/v0/models", list_v0}});
  Daemon with_v0(only(older));
  EXPECT_TRUE(state_of(with_v0) == WorkerState::up);
  EXPECT_NE(models_of(with_v0).find("\"older\""), std::string::npos);
  const ListingWorker plain({{"/v1/models", list_openai}});
  Daemon with_plain(only(plain));
  EXPECT_TRUE(state_of(with_plain) == WorkerState::up) << "a missing greeting condemns nobody";
  EXPECT_NE(models_of(with_plain).find("\"plain\""), std::string::npos);
}

TEST(Probe, a_200_to_everything_is_no_worker) {
  const ListingWorker worker({});
  Daemon daemon(only(worker));
  EXPECT_TRUE(state_of(daemon) == WorkerState::down);
  EXPECT_GT(daemon.metric(R"(lmbalancer_probes_total{result="failed",worker="w1"})"), 0);
  EXPECT_EQ(daemon.metric(R"(lmbalancer_worker_up{worker="w1"})"), 0);
}

TEST(Probe, a_worker_that_refuses_our_token_is_down) {
  const ListingWorker worker({{"/api/v1/models", list_v1}}, 401);
  Daemon daemon(only(worker));
  EXPECT_TRUE(state_of(daemon) == WorkerState::down);
}

TEST(Probe, sends_the_workers_key_with_each_question) {
  auto options = DaemonOptions();
  options.workers = 1;
  options.adjust_worker = [](sim::WorkerOptions& worker) { worker.api_token = "sk-worker"; };
  options.adjust = [](config::Config& config) { config.addresses[0].api_key = "sk-worker"; };
  Daemon with_key(options);
  EXPECT_TRUE(state_of(with_key) == WorkerState::up);
  options.adjust = [](config::Config& config) {
    config.upstream.probe_interval = std::chrono::milliseconds(20);
  };
  Daemon without_key(options);
  EXPECT_TRUE(state_of(without_key) == WorkerState::down);
}

TEST(Probe, a_worker_whose_answers_turn_to_garbage_goes_down_and_comes_back) {
  ListingWorker worker({{"/lmstudio-greeting", greeting}, {"/api/v1/models", list_v1}});
  Daemon daemon(only(worker));
  ASSERT_TRUE(state_of(daemon) == WorkerState::up);
  worker.answer("/api/v1/models", "<html>");
  EXPECT_TRUE(eventually([&] { return state_of(daemon) == WorkerState::down; }));
  worker.answer("/api/v1/models", list_v1);
  EXPECT_TRUE(eventually([&] { return state_of(daemon) == WorkerState::up; }));
}

TEST(Probe, a_new_catalogue_reaches_the_model_list_and_the_slots) {
  ListingWorker worker({{"/lmstudio-greeting", greeting}, {"/api/v1/models", list_v1}});
  Daemon daemon(only(worker));
  auto changed = list_v1;
  changed.replace(changed.find("newest"), 6, "latest");
  changed.replace(changed.find(":7"), 2, ":2");
  worker.answer("/api/v1/models", changed);
  EXPECT_TRUE(eventually([&] { return daemon.server().fleet().workers[0].slots == 2; }));
  EXPECT_TRUE(
      eventually([&] { return models_of(daemon).find("\"latest\"") != std::string::npos; }));
}

TEST(Probe, one_that_is_under_way_at_the_end_is_dropped) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor silent(context, {boost::asio::ip::address_v4::loopback(), 0});
  config::Config config;
  config.net.listen = {{"127.0.0.1", 0}};
  scheduling::WorkerSpec spec;
  spec.name = "silent";
  upstream::WorkerAddress address;
  address.name = spec.name;
  address.host = "127.0.0.1";
  address.port = silent.local_endpoint().port();
  config.fleet.push_back(spec);
  config.addresses.push_back(address);
  config.upstream.probe_timeout = std::chrono::hours(1);
  app::Server server(config);
  ASSERT_TRUE(server.start().has_value());
  const auto probe = silent.accept();
  server.stop();
}

}  // namespace
}  // namespace lmb::test
