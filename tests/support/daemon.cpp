#include "support/daemon.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <sstream>
#include <utility>

#include "lmb/net/timer.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
double value_of(const std::string& page, const std::string& series) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  }
  return 0;
}

Daemon::Daemon(const DaemonOptions& options) {
  sim::WorkerOptions worker;
  worker.speed = options.speed;
  if (options.adjust_worker) options.adjust_worker(worker);
  auto fleet = sim::FleetOptions::alike(options.workers, worker);
  for (std::size_t i = 0; options.adjust_one && i < options.workers; ++i) {
    options.adjust_one(i, fleet.workers[i]);
  }
  fleet_ = std::make_unique<sim::Fleet>(fleet);
  const auto fleet_started = fleet_->start();
  EXPECT_TRUE(fleet_started.has_value());
  config::Config config;
  config.net.listen = {{"127.0.0.1", 0}};
  config.admin.listen = {{"127.0.0.1", 0}};
  config.net.threads = options.threads;
  // The destructor waits for these slots.
  config.scheduling.abandon_settle_max = std::chrono::seconds(1);
  for (std::size_t i = 0; i < fleet_->size(); ++i) {
    scheduling::WorkerSpec spec;
    spec.name = "w" + std::to_string(i + 1);
    upstream::WorkerAddress address;
    address.name = spec.name;
    address.host = "127.0.0.1";
    address.port = fleet_->port(i);
    config.fleet.push_back(spec);
    config.addresses.push_back(address);
  }
  if (options.adjust) options.adjust(config);
  server_ = std::make_unique<app::Server>(std::move(config), options.config_file);
  const auto started = server_->start();
  EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().detail());
  const bool up = eventually([this] {
    const auto snapshot = server_->fleet();
    return std::all_of(snapshot.workers.begin(), snapshot.workers.end(), [](const auto& each) {
      return each.state != scheduling::WorkerState::starting &&
             (each.catalogue_known || each.state == scheduling::WorkerState::down);
    });
  });
  EXPECT_TRUE(up) << "the workers were not probed in time";
}

Daemon::~Daemon() {
  expect_idle();
  server_->begin_drain();
  server_->end_now();
  EXPECT_TRUE(eventually([this] { return server_->active() == 0; })) << "a session does not end";
  server_->stop();
  expect_nothing_left();
  server_.reset();
  EXPECT_TRUE(eventually([this] { return connections_of_workers() == 0; }))
      << "a worker has a connection of a daemon that is gone";
  fleet_->stop();
}

void Daemon::expect_idle() {
  EXPECT_TRUE(eventually([this] {
    const auto fleet = server_->fleet();
    return fleet.leases == 0 && fleet.queued == 0 &&
           std::all_of(fleet.workers.begin(), fleet.workers.end(), [](const auto& worker) {
             return worker.in_flight == 0 && worker.settling == 0;
           });
  })) << "a request left something behind";
}

void Daemon::expect_nothing_left() {
  const auto page = server_->metrics();
  for (const char* gauge : {"lmbalancer_body_memory_bytes", "lmbalancer_client_connections"}) {
    EXPECT_EQ(value_of(page, gauge), 0) << gauge;
  }
}

std::size_t Daemon::connections_of_workers() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < fleet_->size(); ++i) sum += fleet_->counters(i).connections;
  return sum;
}

std::uint16_t Daemon::port() const {
  return server_->endpoints().front().port();
}

std::uint16_t Daemon::admin_port() const {
  return server_->admin_endpoints().front().port();
}

std::string Daemon::url() const {
  return "http://127.0.0.1:" + std::to_string(port());
}

std::string Daemon::metrics() const {
  RawClient client(port());
  client.send(get("/metrics", "Connection: close\r\n"));
  return client.read_answer().body;
}

double Daemon::metric(const std::string& series) const {
  return value_of(metrics(), series);
}

std::uint32_t Daemon::in_flight() const {
  std::uint32_t sum = 0;
  for (const auto& worker : server_->fleet().workers) sum += worker.in_flight;
  return sum;
}

bool eventually(const std::function<bool()>& condition) {
  boost::asio::io_context context;
  net::Timer pause(context);
  const auto limit = Clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (Clock::now() > limit) return false;
    pause.expires_after(std::chrono::milliseconds(2));
    pause.wait();
  }
  return true;
}

std::string chat(bool stream, int max_tokens) {
  return std::string(R"({"model":")") + model + R"(","stream":)" + (stream ? "true" : "false") +
         R"(,"max_tokens":)" + std::to_string(max_tokens) +
         R"(,"messages":[{"role":"user","content":"Hello there"}]})";
}

}  // namespace lmb::test
