#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace lmb::telemetry {

/// Both ends of what somebody writes to and somebody reads.
struct Ends {
  int reader = -1;
  int writer = -1;

  static Ends of_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    return {ends[0], ends[1]};
  }
  static Ends of_socket(int type) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, type, 0, ends.data()), 0);
    const int smallest = 1;
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
    return {ends[0], ends[1]};
  }
  static Ends of_terminal() {
    const int reader = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (reader < 0 || ::grantpt(reader) != 0 || ::unlockpt(reader) != 0) return {reader, -1};
    return {reader, ::open(::ptsname(reader), O_RDWR | O_NOCTTY)};
  }

  static Ends of_stream() { return of_socket(SOCK_STREAM); }

  /// What is there, up to `most` bytes; empty when there is nothing.
  std::string read_some(std::size_t most) const {
    ::fcntl(reader, F_SETFL, O_NONBLOCK);
    std::string text(most, '\0');
    const auto count = ::read(reader, text.data(), most);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0U);
    return text;
  }
  std::string read_all() const {
    std::string text;
    for (std::string part = read_some(4096); !part.empty(); part = read_some(4096)) text += part;
    return text;
  }
  void close() const {
    for (const int descriptor : {reader, writer}) ::close(descriptor);
  }
};

}  // namespace lmb::telemetry
