#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <utility>

namespace lmb::peers {

/// An owned file descriptor; -1 = none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  void close() { *this = Descriptor{}; }

 private:
  int fd_ = -1;
};

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process of this machine.
[[nodiscard]] std::uint64_t now_ns();

/// A time span in nanoseconds as the kernel takes it.
[[nodiscard]] timespec to_timespec(std::uint64_t span_ns);

/// Prints `what` and errno's text and ends the process with status 1. For set-up only.
[[noreturn]] void fail(const std::string& what);

/// A listening, non-blocking socket on 127.0.0.1; port 0 lets the kernel choose. Fails the process.
[[nodiscard]] Descriptor listen_on(std::uint16_t port);
/// The port a socket is bound to.
[[nodiscard]] std::uint16_t local_port(const Descriptor& socket);
/// A connected socket to 127.0.0.1, TCP_NODELAY set; none when it could not be had within 5 s. It
/// is returned non-blocking.
[[nodiscard]] Descriptor connect_to(std::uint16_t port);

/// An epoll set, level-triggered.
[[nodiscard]] Descriptor make_epoll();
void epoll_add(const Descriptor& epoll, int fd, std::uint32_t events);
void epoll_change(const Descriptor& epoll, int fd, std::uint32_t events);

/// Raises the soft limit on open files to the hard one, asks the kernel for precise timers, and has
/// this process end with its parent, so that an aborted run leaves nothing behind.
void prepare_process();

}  // namespace lmb::peers
