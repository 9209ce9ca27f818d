#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string_view>

namespace lmb::telemetry {

/// What one call of write_unheld may write to the descriptor without being held or torn: PIPE_BUF
/// bytes to a pipe, socket or terminal (POSIX write(2) and poll(2)), any number to a regular file.
std::size_t unheld_write_limit(int descriptor) noexcept;

/// write(2) that is never held by a reader that does not read: a pipe, socket or terminal without
/// room within `patience` gets nothing (-1, EAGAIN). `text` must not be longer than
/// unheld_write_limit.
/// Thread safety: any thread. Those to anything but files are done one after the other, so that
/// none is held because another has just taken the room; other programs on the same pipe may do
/// that.
ssize_t write_unheld(int descriptor, std::string_view text,
                     std::chrono::milliseconds patience = {}) noexcept;

}  // namespace lmb::telemetry
