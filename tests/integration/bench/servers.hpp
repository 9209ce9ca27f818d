#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <string>
#include <thread>
#include <utility>

#include "lmb/bench/load.hpp"
#include "lmb/http/server.hpp"
#include "lmb/sim/fleet.hpp"

namespace lmb::bench::test {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A server with a handler of the test's own, on a thread of its own.
class ScriptedServer {
 public:
  explicit ScriptedServer(http::Server::Handler handler)
      : server_(context_.get_executor(), http::ServerOptions(), std::move(handler)) {
    const tcp::endpoint any(asio::ip::make_address("127.0.0.1"), 0);
    port_ = server_.listen(any).value().port();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~ScriptedServer() {
    asio::post(context_, [this] { server_.stop(); });
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint64_t connections_accepted() const {
    return server_.connections_accepted();
  }

 private:
  asio::io_context context_{1};
  http::Server server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// One simulated worker, 100 times as fast as a real one.
class SimulatedWorker {
 public:
  SimulatedWorker() : fleet_(sim::FleetOptions::alike(1, options())) { fleet_.start().value(); }

  sim::Fleet& fleet() { return fleet_; }
  [[nodiscard]] std::uint16_t port() const { return fleet_.port(0); }
  [[nodiscard]] sim::WorkerCounters counters() const { return fleet_.counters(0); }

 private:
  static sim::WorkerOptions options() {
    sim::WorkerOptions worker;
    worker.speed = 100;
    return worker;
  }

  sim::Fleet fleet_;
};

/// A port of this machine on which nobody listens.
inline std::uint16_t closed_port() {
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  return acceptor.local_endpoint().port();
}

/// `requests` requests of 4 clients to 127.0.0.1:`port`, small enough for a quick test.
inline LoadPlan plan_for(std::uint16_t port, std::size_t requests) {
  LoadPlan plan;
  plan.target.host = "127.0.0.1";
  plan.target.port = port;
  plan.model = std::string(sim::find_preset(sim::default_preset)->model.key);
  plan.concurrency = 4;
  plan.requests = requests;
  plan.prompt_tokens = 64;
  plan.max_tokens = 32;
  plan.timeout = std::chrono::seconds(20);
  return plan;
}

}  // namespace lmb::bench::test
