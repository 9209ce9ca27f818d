#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/config/config.hpp"
#include "lmb/scheduling/scheduler.hpp"

namespace lmb::app {

/// The whole daemon but for signals and the command line: builds every part, wires them, runs them,
/// drains them. Thread safety: none, one controlling thread; the daemon's own threads are inside.
/// The destructor stops at once if stop() was not called.
class Server {
 public:
  /// `config_file`: where `config` came from, for reloads; empty = there are none.
  explicit Server(config::Config config, std::string config_file = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds, then starts the threads. Errors: internal with a detail fit for the operator (port in
  /// use, access log cannot be opened).
  Result<void> start();
  /// Where it listens; tells the port chosen for port 0.
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;

  /// Where its admin listener is; empty = nowhere. After start().
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> admin_endpoints() const;

  /// Reads the config file again, as POST /admin/reload does; what came of it is logged and
  /// counted. Returns at once; a second call while one is under way is done after it. After
  /// start().
  void reload();

  /// Begins the graceful end: no new connections, /readyz 503, waiting requests refused, running
  /// ones go on.
  void begin_drain();
  /// Client sessions still running; 0 after stop().
  [[nodiscard]] std::size_t active();
  /// Ends what still runs: streams get an error event where they can.
  void end_now();
  /// Stops and joins all threads; begin_drain() and end_now() as far as they were not called.
  void stop();

  [[nodiscard]] scheduling::FleetSnapshot fleet() const;
  /// What GET /metrics answers; after stop() what is left. After start(), on any thread.
  [[nodiscard]] std::string metrics() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lmb::app
