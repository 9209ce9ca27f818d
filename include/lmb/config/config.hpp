#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lmb/admin/options.hpp"
#include "lmb/base/clock.hpp"
#include "lmb/net/options.hpp"
#include "lmb/proxy/options.hpp"
#include "lmb/scheduling/options.hpp"
#include "lmb/telemetry/options.hpp"
#include "lmb/upstream/options.hpp"

namespace lmb::config {

/// Everything that the one config file says, with defaults filled in.
struct Config {
  net::NetOptions net;
  std::vector<scheduling::WorkerSpec> fleet;       ///< In file order; WorkerId = index.
  std::vector<upstream::WorkerAddress> addresses;  ///< Same order as `fleet`.
  scheduling::SchedulerOptions scheduling;
  scheduling::RetryOptions retry;
  upstream::UpstreamOptions upstream;
  proxy::ProxyOptions proxy;
  telemetry::TelemetryOptions telemetry;
  admin::AdminOptions admin;
  Duration shutdown_grace = std::chrono::seconds(30);  ///< timeouts.shutdown_grace
};

/// One fault of a config file: where it is, what is wrong, and how to mend it.
struct Problem {
  std::string path;     ///< e.g. "workers[1].url"; empty = the file as a whole.
  std::string message;  ///< e.g. "unknown key; did you mean \"slots\"?"
};

/// A config, or every problem at once (never both).
struct Parsed {
  Config config;
  std::vector<Problem> problems;
  [[nodiscard]] bool ok() const noexcept { return problems.empty(); }
};

/// Looks up environment variables: std::getenv in the daemon, a table in tests.
using Environment = const char* (*)(const char* name);

/// Parses and validates a config text: JSON with // and /* */ comments. Secrets never appear in a
/// Problem.
Parsed parse_config(std::string_view text, Environment environment);
/// Reads the file first; a file that cannot be read is a Problem with an empty path.
Parsed load_config(const std::string& file, Environment environment);

/// All problems as text, one line each: "FILE: PATH: MESSAGE".
std::string describe(const std::vector<Problem>& problems, std::string_view file);

}  // namespace lmb::config
