#pragma once

#include <string_view>

namespace lmb::telemetry {

enum class LogLevel { debug, info, warn, error };

/// Operational messages (state changes, refused config, internal errors) to stderr, one line each,
/// without per-request noise. Constant text first, values after. Never prompt text, never secrets.
/// Control bytes in values are escaped, so a peer cannot forge lines. Thread safety: any thread;
/// blocks no longer than the write to stderr.
void log(LogLevel level, std::string_view message);

/// Messages below `level` are dropped.
void set_log_level(LogLevel level) noexcept;
/// True when a message of this level would be written; guards costly formatting.
bool log_enabled(LogLevel level) noexcept;

}  // namespace lmb::telemetry
