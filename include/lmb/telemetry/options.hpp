#pragma once

#include <string>

#include "lmb/telemetry/log.hpp"

namespace lmb::telemetry {

struct TelemetryOptions {
  LogLevel log_level = LogLevel::info;  ///< telemetry.log_level: debug, info, warn, error.
  /// telemetry.access_log: file to append one JSON line per request to; "-" = stdout; empty = off.
  std::string access_log;
  std::size_t access_log_bytes = 1024 * 1024;  ///< limits.access_log_bytes: kept for each thread.
};

}  // namespace lmb::telemetry
