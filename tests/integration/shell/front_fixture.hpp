#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lmb/proxy/front.hpp"
#include "turned_loop.hpp"

namespace lmb::test {

/// A front on a loop that the test turns and a clock that it moves, and two workers of one slot, w0
/// and w1, that nobody has seen yet: the test plays them.
class FrontFixture : public ::testing::Test {
 protected:
  FrontFixture() {
    manual_clock::reset();
    ::close(::mkstemp(log_path.data()));
    dispatch::Dispatcher::Setup setup;
    for (const char* name : {"w0", "w1"}) setup.fleet.emplace_back().name = name;
    setup.shards = {shard.context().get_executor()};
    dispatcher = std::make_unique<dispatch::Dispatcher>(setup);
    make_front(proxy::ProxyOptions());
  }
  ~FrontFixture() override {
    shard.sessions().drop();
    ::unlink(log_path.c_str());
  }

  /// The program's end: every session must be able to end now, and to leave nothing behind.
  void TearDown() override {
    shard.sessions().stop(net::StopLevel::now);
    EXPECT_TRUE(until([this] { return shard.sessions().active() == 0; }))
        << shard.sessions().active() << " sessions do not end";
    const auto longest_settling = scheduling::SchedulerOptions().abandon_settle_max;
    pass(longest_settling);
    const auto fleet = dispatcher->snapshot();
    EXPECT_EQ(fleet.leases, 0U);
    EXPECT_EQ(fleet.queued, 0U);
    for (const auto& worker : fleet.workers) {
      EXPECT_EQ(worker.in_flight, 0U) << worker.name;
      EXPECT_EQ(worker.settling, 0U) << worker.name;
    }
    EXPECT_EQ(shared->body_memory.used(), 0U);
    EXPECT_EQ(shared->stream_memory.used(), 0U);
    EXPECT_EQ(shared->inspections, 0U);
    EXPECT_EQ(shared->connections.open(), 0U);
  }

  void make_front(proxy::ProxyOptions options) {
    front.reset();
    shared = std::make_unique<proxy::Shared>(std::move(options), *dispatcher, metrics);
    auto log = telemetry::AccessLog::open(log_path, {"w0", "w1"});
    front = std::make_unique<proxy::Front>(shard, *shared, std::move(*log), 1);
    shared->helper = shard.context().get_executor();
  }
  /// From now on the worker is up and has model m, loaded or on disk, with one slot.
  void raise(std::uint32_t number, bool loaded = true) {
    const WorkerId worker(number);
    auto& port = ports.at(number);
    port.non_blocking(true);
    upstream::WorkerAddress address;
    address.name = "w" + std::to_string(number);
    address.host = "127.0.0.1";
    address.port = port.local_endpoint().port();
    front->set_worker(worker, address);
    front->set_endpoints(worker, {port.local_endpoint()});
    dispatcher->observe_probe(worker, scheduling::ProbeReport(true));
    scheduling::Offers offers;
    auto& model = offers.models.emplace_back();
    model.key = "m";
    if (loaded) model.instances.push_back({.id = "m", .parallel = 1});
    dispatcher->set_offers(worker, offers);
  }
  /// The worker's end of the next connection to it.
  std::optional<Peer> accept(std::uint32_t number = 0) {
    std::optional<Peer> peer;
    EXPECT_TRUE(until([&] {
      boost::system::error_code ec;
      tcp::socket socket(peers);
      if (!peer) ports.at(number).accept(socket, ec);
      if (!peer && !ec) peer.emplace(std::move(socket));
      return peer.has_value();
    }));
    return peer;
  }
  /// The same, when the worker has read the whole request.
  std::optional<Peer> accept_request(std::uint32_t number = 0) {
    auto peer = accept(number);
    std::string text;
    EXPECT_TRUE(peer && until([&] {
                  text += peer->read_available();
                  return text.ends_with("]}");
                }))
        << text;
    return peer;
  }
  /// A streamed chat request whose prompt has so many bytes.
  static std::string chat(std::size_t prompt = 5) {
    const std::string body =
        R"({"model":"m","stream":true,"messages":[{"role":"user","content":")" +
        std::string(prompt, 'x') + R"("}]})";
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  /// A client with a session of its own.
  Peer connect() {
    tcp::acceptor acceptor(peers, loopback());
    tcp::socket ours(shard.context());
    ours.connect(acceptor.local_endpoint());
    Peer client(acceptor.accept());
    front->serve(std::move(ours));
    return client;
  }
  bool until(const std::function<bool()>& done) { return run_until(shard.context(), done); }
  /// Waits for one handler, however long (ten real seconds) its socket takes, and runs only it.
  bool run_one() {
    shard.context().restart();
    return shard.context().run_one_for(std::chrono::seconds(10)) == 1;
  }
  /// Runs all handlers that are ready.
  void turn() {
    shard.context().restart();
    shard.context().poll();
  }
  /// Lets virtual time pass and tells shard and brain, as their timers would.
  void pass(Duration step) {
    manual_clock::advance(step);
    shard.deadlines().tick(Clock::now());
    dispatcher->tick(Clock::now());
    turn();
  }
  std::string log() {
    front->access_log().flush();
    std::ifstream file(log_path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool counted(const std::string& series) {
    return metrics.render().find("\n" + series + "\n") != std::string::npos;
  }

  std::string log_path = ::testing::TempDir() + "lmbalancer-front-XXXXXX";
  std::string escaped;
  asio::io_context peers{1};
  std::array<tcp::acceptor, 2> ports{tcp::acceptor(peers, loopback()),
                                     tcp::acceptor(peers, loopback())};
  telemetry::Metrics metrics{{"w0", "w1"}, {"/healthz", "/v1/chat/completions"}, {}};
  net::Shard shard{0, [this](const char* what) { escaped = what; }};
  std::unique_ptr<dispatch::Dispatcher> dispatcher;
  std::unique_ptr<proxy::Shared> shared;
  std::unique_ptr<proxy::Front> front;
};

}  // namespace lmb::test
