#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "lmb/sim/fleet.hpp"
#include "program.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {

/// A program that balances over one simulated worker of this process, with one slot.
class ServedFleet {
 public:
  /// `more`: further members of the config, each with a comma before it.
  explicit ServedFleet(double speed, const std::string& more = {},
                       std::uint64_t descriptors_max = 0)
      : fleet_(sim::FleetOptions::alike(1, worker(speed))), started_(fleet_.start().has_value()) {
    EXPECT_TRUE(started_);
    program_.emplace(Program::serving(config(more), descriptors_max));
    port_ = program_->port();
    EXPECT_TRUE(eventually([this] { return get_once("/readyz").status == 200; }));
  }

  [[nodiscard]] Program& program() { return *program_; }
  [[nodiscard]] sim::Fleet& fleet() { return fleet_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] RawAnswer get_once(const std::string& target) const {
    RawClient client(port_);
    client.send(get(target, "Connection: close\r\n"));
    return client.read_answer();
  }
  /// It takes no connection any more.
  [[nodiscard]] bool refuses() const {
    try {
      const RawClient client(port_);
      return false;
    } catch (const boost::system::system_error&) {
      return true;
    }
  }

  /// Its config file.
  [[nodiscard]] std::string config(const std::string& more = {}) const {
    return R"({"listen": "127.0.0.1:0", "threads": 1, )"
           R"("admin": {"listen": "127.0.0.1:0"}, "workers": [)"
           R"({"name": "w1", "slots": 1, "url": ")" +
           fleet_.url(0) + "\"}]" + more + "}";
  }

 private:
  static sim::WorkerOptions worker(double speed) {
    sim::WorkerOptions options;
    options.speed = speed;
    return options;
  }
  sim::Fleet fleet_;
  bool started_;
  std::optional<Program> program_;
  std::uint16_t port_ = 0;
};

}  // namespace lmb::test
