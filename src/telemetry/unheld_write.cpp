#include "lmb/telemetry/unheld_write.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::telemetry {
namespace {

bool never_waits(int descriptor) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

/// The same pipe or terminal once more, opened so that writes do not wait; -1 where that cannot be.
/// Setting the flag on `descriptor` itself would set it for the shell that started us, too.
int reopened(int descriptor) noexcept {
  std::array<char, 256> path{};
  if (::isatty(descriptor) != 1 || ::ttyname_r(descriptor, path.data(), path.size()) != 0) {
    path = {"/dev/fd/"};
    std::to_chars(path.data() + std::strlen(path.data()), path.data() + path.size() - 1,
                  descriptor);
  }
  const int own = ::open(path.data(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  // macOS gives a second name of the same description.
  if (own < 0 || never_waits(own)) return own;
  ::close(own);
  return -1;
}

/// How a descriptor that is no file is written to without being held.
class Way {
 public:
  Way(int descriptor, mode_t mode) noexcept
      : descriptor_(descriptor), socket_(S_ISSOCK(mode)), ready_(never_waits(descriptor)) {
    if (socket_ || ready_ || !(S_ISFIFO(mode) || ::isatty(descriptor) == 1)) return;
    own_ = reopened(descriptor);
  }
  ~Way() {
    if (own_ >= 0) ::close(own_);
  }
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;

  ssize_t write(std::string_view part) const noexcept {
    if (socket_) return ::send(descriptor_, part.data(), part.size(), MSG_DONTWAIT);
    if (own_ >= 0) return ::write(own_, part.data(), part.size());
    if (!ready_) {
      pollfd entry{descriptor_, POLLOUT, 0};
      const int found = ::poll(&entry, 1, 0);
      if (found == 0) errno = EAGAIN;
      if (found <= 0) return -1;
    }
    return ::write(descriptor_, part.data(), part.size());
  }

 private:
  int descriptor_;
  int own_ = -1;
  bool socket_;
  bool ready_;
};

/// What is written next: whole lines of at most PIPE_BUF bytes, or a part of one that is longer.
std::string_view next_part(std::string_view text) noexcept {
  if (text.size() <= PIPE_BUF) return text;
  const auto last_end = text.rfind('\n', PIPE_BUF - 1);
  return text.substr(0, last_end != std::string_view::npos ? last_end + 1 : PIPE_BUF);
}

ssize_t write_parts(const Way& way, std::string_view text) noexcept {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto part = next_part(text.substr(done));
    const auto written = way.write(part);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return done > 0 ? static_cast<ssize_t>(done) : -1;
    done += static_cast<std::size_t>(written);
    if (static_cast<std::size_t>(written) < part.size()) break;
  }
  return static_cast<ssize_t>(done);
}

/// False when there was none within `limit`. Room is no promise: who waited with us may take it
/// first.
bool wait_for_room(int descriptor, std::chrono::milliseconds limit) noexcept {
  pollfd entry{descriptor, POLLOUT, 0};
  const auto wait = std::min<std::int64_t>(limit.count(), std::numeric_limits<int>::max());
  return ::poll(&entry, 1, static_cast<int>(wait)) != 0;
}

/// The rest of a line that was begun where not all of it found room: it comes before any other.
struct BegunLine {
  dev_t device;
  ino_t inode;
  std::string rest;

  [[nodiscard]] bool is_of(const struct stat& outlet) const noexcept {
    return device == outlet.st_dev && inode == outlet.st_ino;
  }
};

/// Beyond these a line is left torn.
constexpr std::size_t longest_rest = 64 * 1024;
constexpr std::size_t begun_lines_max = 8;

struct Outlets {
  std::mutex one_at_a_time;
  std::vector<BegunLine> begun_lines;
};
/// Never destroyed: the last messages come from destructors of static objects.
union Undestroyed {
  constexpr Undestroyed() : outlets() {}
  ~Undestroyed() {}
  Outlets outlets;
};
constinit Undestroyed undestroyed;

/// -1 and errno unless no line is begun any more.
ssize_t write_begun_line(const Way& way, const struct stat& outlet) noexcept {
  auto& lines = undestroyed.outlets.begun_lines;
  const auto begun = std::find_if(lines.begin(), lines.end(),
                                  [&](const BegunLine& line) { return line.is_of(outlet); });
  if (begun == lines.end()) return 0;
  const auto written = write_parts(way, begun->rest);
  if (written > 0) begun->rest.erase(0, static_cast<std::size_t>(written));
  const bool waits = !begun->rest.empty() && (written >= 0 || errno == EAGAIN);
  if (!waits) lines.erase(begun);
  if (waits) errno = EAGAIN;
  return waits || written < 0 ? -1 : 0;
}

bool keep_rest(const struct stat& outlet, std::string_view rest) noexcept {
  auto& lines = undestroyed.outlets.begun_lines;
  if (rest.size() > longest_rest || lines.size() >= begun_lines_max) return false;
  try {
    lines.push_back({outlet.st_dev, outlet.st_ino, std::string(rest)});
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

ssize_t write_lines(const Way& way, const struct stat& outlet, std::string_view text) noexcept {
  if (write_begun_line(way, outlet) < 0) return -1;
  const auto written = write_parts(way, text);
  if (written <= 0) return written;
  const auto done = static_cast<std::size_t>(written);
  const auto end = text.find('\n', done - 1);
  if (end == done - 1 || end == std::string_view::npos) return written;
  const bool kept = keep_rest(outlet, text.substr(done, end + 1 - done));
  return kept ? static_cast<ssize_t>(end + 1) : written;
}

}  // namespace

ssize_t write_unheld(int descriptor, std::string_view text,
                     std::chrono::milliseconds patience) noexcept {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return -1;
  if (S_ISREG(status.st_mode)) {
    return text.empty() ? 0 : ::write(descriptor, text.data(), text.size());
  }
  const Way way(descriptor, status.st_mode);
  const TimePoint until = Clock::now() + patience;
  while (true) {
    {
      const std::lock_guard lock(undestroyed.outlets.one_at_a_time);
      const auto written = write_lines(way, status, text);
      if (written >= 0 || errno != EAGAIN) return written;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0 || !wait_for_room(descriptor, left)) {
      errno = EAGAIN;
      return -1;
    }
  }
}

}  // namespace lmb::telemetry
