#pragma once

#include <sys/types.h>

#include <chrono>
#include <string_view>

namespace lmb::telemetry {

/// write(2) to a log that is never held by a reader that does not read. Writes as much of `text` as
/// there is room for, and waits up to `patience` for any. Returns the bytes written, or -1 and
/// errno: EAGAIN when there was no room, else what write(2) says.
///
/// Lines stay whole: the rest of one that was begun, up to 64 KiB, counts as written and goes
/// before all that is written there later, by whomever. An empty `text` writes just that.
///
/// A file's disk may hold it, as any write. So may, where the system gives no way to write without
/// waiting (a pipe that another user made, pipes on macOS), a pipe that another program fills at
/// the same instant.
/// Thread safety: any thread; those to anything but files are done one after the other.
ssize_t write_unheld(int descriptor, std::string_view text,
                     std::chrono::milliseconds patience = {}) noexcept;

}  // namespace lmb::telemetry
