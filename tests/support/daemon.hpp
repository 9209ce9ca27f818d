#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lmb/app/server.hpp"
#include "lmb/config/config.hpp"
#include "lmb/sim/fleet.hpp"

namespace lmb::test {

struct DaemonOptions {
  std::size_t workers = 3;
  std::size_t threads = 2;
  double speed = 200;  ///< Of the simulated physics.
  /// Last change before the start.
  std::function<void(config::Config&)> adjust;
  std::function<void(sim::WorkerOptions&)> adjust_worker;
  /// The same for the worker with that index alone.
  std::function<void(std::size_t, sim::WorkerOptions&)> adjust_one;
  /// What a reload reads; it need not exist before.
  std::string config_file = {};
};

/// A whole daemon on port 0 with simulated workers, in this process; ready when constructed. The
/// destructor fails the test if anything is left: leases, slots in use or settling, requests in the
/// queue; and, when it has stopped, memory of bodies or connections on either side.
class Daemon {
 public:
  explicit Daemon(const DaemonOptions& options = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::uint16_t admin_port() const;
  [[nodiscard]] std::string url() const;
  [[nodiscard]] app::Server& server() { return *server_; }
  [[nodiscard]] sim::Fleet& fleet() { return *fleet_; }
  /// The body of GET /metrics.
  [[nodiscard]] std::string metrics() const;
  /// value_of the page as it is now.
  [[nodiscard]] double metric(const std::string& series) const;
  /// Slots in use over the fleet.
  [[nodiscard]] std::uint32_t in_flight() const;

 private:
  void expect_idle();
  void expect_nothing_left();
  [[nodiscard]] std::size_t connections_of_workers() const;

  std::unique_ptr<sim::Fleet> fleet_;
  std::unique_ptr<app::Server> server_;
};

/// The value of one series on a metrics page, written as in the text format (`name{label="x"}`); 0
/// when it is not there.
double value_of(const std::string& page, const std::string& series);

/// Waits until `condition` holds, polling; false after 30 s.
bool eventually(const std::function<bool()>& condition);

/// A chat request's body.
std::string chat(bool stream, int max_tokens = 20);
inline constexpr const char* model = "qwen/qwen3-30b-a3b";

}  // namespace lmb::test
