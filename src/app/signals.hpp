#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "lmb/app/server.hpp"
#include "lmb/base/clock.hpp"

namespace lmb::app {

/// From here on SIGHUP, SIGUSR1, SIGPIPE and SIGXFSZ never kill, also before a server runs.
void ignore_harmless_signals();

/// The signals by which people and service managers speak to a server: SIGTERM and SIGINT end it,
/// SIGHUP reads the config again, SIGUSR1 does nothing. Caught from construction on: what comes
/// before run() is obeyed by run(), so none kills a server that has clients already. Nor does one
/// that comes after it: then they are ignored until the process ends.
///
/// Thread: the main one. Construct after ignore_harmless_signals and before the server starts, once
/// in a process.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Runs a started server until SIGTERM or SIGINT, then drains and stops it: running requests may
  /// go on for `grace`, then they are ended. A second signal ends them at once. From the first one
  /// on, an end that does not come by itself is forced: SIGALRM kills the process 8 s after the
  /// last step, also when this has returned. So the process must end then.
  void run(Server& server, Duration grace);

 private:
  boost::asio::io_context context_{1};
  boost::asio::signal_set set_;
};

}  // namespace lmb::app
