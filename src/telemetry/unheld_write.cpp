#include "unheld_write.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <limits>
#include <mutex>

#include "lmb/base/clock.hpp"

namespace lmb::telemetry {
namespace {

bool is_regular_file(int descriptor) noexcept {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

bool has_room(int descriptor, std::chrono::milliseconds patience) noexcept {
  const auto wait = std::clamp<std::int64_t>(patience.count(), 0, std::numeric_limits<int>::max());
  pollfd ready{descriptor, POLLOUT, 0};
  return ::poll(&ready, 1, static_cast<int>(wait)) != 0;
}

}  // namespace

std::size_t unheld_write_limit(int descriptor) noexcept {
  return is_regular_file(descriptor) ? std::numeric_limits<std::size_t>::max() : PIPE_BUF;
}

ssize_t write_unheld(int descriptor, std::string_view text,
                     std::chrono::milliseconds patience) noexcept {
  if (is_regular_file(descriptor)) return ::write(descriptor, text.data(), text.size());
  static std::mutex one_at_a_time;
  const TimePoint until = Clock::now() + patience;
  for (bool ready = true; ready;) {
    {
      const std::lock_guard lock(one_at_a_time);
      if (has_room(descriptor, {})) return ::write(descriptor, text.data(), text.size());
    }
    // Who waited with us may be first to take the room.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    ready = left.count() > 0 && has_room(descriptor, left);
  }
  errno = EAGAIN;
  return -1;
}

}  // namespace lmb::telemetry
