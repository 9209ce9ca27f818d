#pragma once

#include <string>

#include "lmb/app/server.hpp"
#include "lmb/base/clock.hpp"

namespace lmb::app {

/// Exit codes of every command.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

/// `lmbalancer serve`: runs the daemon until SIGTERM or SIGINT. Prints "listening on
/// http://HOST:PORT" per address.
int serve(const std::string& config_file);

/// `lmbalancer check`: every problem of the file, or a summary of what it means.
int check(const std::string& config_file);

/// From here on SIGHUP, SIGUSR1 and SIGPIPE never kill, also before a server runs.
void ignore_harmless_signals();

/// Runs a started server until SIGTERM or SIGINT, then drains: running requests may go on for
/// `grace`, then they are ended. A second signal ends them at once. SIGHUP reads the config again;
/// it, SIGUSR1 and SIGPIPE never kill. Call from the main thread.
void run_until_signalled(Server& server, Duration grace);

/// "http://127.0.0.1:8080" for each endpoint of the server.
std::string url_of(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace lmb::app
