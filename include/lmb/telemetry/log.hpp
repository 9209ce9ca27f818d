#pragma once

#include <cstdint>
#include <string_view>

namespace lmb::telemetry {

enum class LogLevel { debug, info, warn, error };

/// Operational messages (state changes, refused config, internal errors) to stderr, one line each,
/// without per-request noise. Constant text first, values after. Never prompt text, never secrets.
/// Control bytes in values are escaped, so a peer cannot forge lines. Thread safety: any thread.
/// Never waits for whoever reads stderr: when a pipe is full, the message is dropped and counted,
/// and the next one that is written tells how many are missing.
void log(LogLevel level, std::string_view message);

/// Messages below `level` are dropped.
void set_log_level(LogLevel level) noexcept;
/// True when a message of this level would be written; guards costly formatting.
bool log_enabled(LogLevel level) noexcept;
/// Messages that were dropped since the program's start: nobody read stderr, its disk was full, or
/// there was no memory for the text.
std::uint64_t log_messages_dropped() noexcept;

}  // namespace lmb::telemetry
