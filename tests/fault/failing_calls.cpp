#include "failing_calls.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdlib>
#include <new>

namespace lmb::test {
namespace {

/// What the call under way shall do.
enum class Turn { itself, fail, end, partly };

Turn turn_of(const char* call, int socket, int error) noexcept {
  auto& plan = failing();
  if (!plan.armed || ++plan.calls != plan.fail_call) return Turn::itself;
  plan.failed_socket = socket;
  plan.failed_call = call;
  const bool dies = plan.call_fault == CallFault::error || plan.call_fault == CallFault::end;
  // Who is told of a broken connection has one.
  if (dies && (error == EPIPE || error == ECONNRESET)) (void)::shutdown(socket, SHUT_RDWR);
  errno = error;
  if (plan.call_fault == CallFault::later) errno = EAGAIN;
  if (plan.call_fault == CallFault::end) return Turn::end;
  return plan.call_fault == CallFault::partly ? Turn::partly : Turn::fail;
}

/// A call that neither reads nor writes can only succeed or fail for good.
bool fails(const char* call, int socket, int error) noexcept {
  auto& plan = failing();
  const bool harmless = plan.call_fault == CallFault::later || plan.call_fault == CallFault::partly;
  if (plan.armed && harmless) return false;
  return turn_of(call, socket, error) != Turn::itself;
}

bool allocation_fails(std::size_t bytes) noexcept {
  auto& plan = failing();
  if (!plan.armed || bytes < plan.allocation_min) return false;
  if (++plan.allocations != plan.fail_allocation) return false;
  plan.failed_bytes = bytes;
  // As operator new does it (C++20 [new.delete.single]).
  if (const auto handler = std::get_new_handler()) {
    try {
      handler();
    } catch (const std::bad_alloc&) {
      return true;
    }
  }
  return true;
}

void* allocate(std::size_t bytes) noexcept {
  return allocation_fails(bytes) ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}

}  // namespace

Failing& failing() noexcept {
  static Failing plan;
  return plan;
}

}  // namespace lmb::test

using lmb::test::Turn;

// The linker gives these the calls that the program's objects make (--wrap).
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
ssize_t __real_recv(int socket, void* into, size_t size, int flags);
ssize_t __real_recvmsg(int socket, msghdr* message, int flags);
ssize_t __real_send(int socket, const void* from, size_t size, int flags);
ssize_t __real_sendmsg(int socket, const msghdr* message, int flags);
int __real_connect(int socket, const sockaddr* address, socklen_t size);
int __real_socket(int family, int type, int protocol);
int __real_epoll_ctl(int epoll, int operation, int socket, epoll_event* event);
int __real_getsockopt(int socket, int level, int name, void* value, socklen_t* size);
int __real_setsockopt(int socket, int level, int name, const void* value, socklen_t size);

ssize_t __wrap_recv(int socket, void* into, size_t size, int flags) {
  switch (lmb::test::turn_of("recv", socket, ECONNRESET)) {
    case Turn::fail:
      return -1;
    case Turn::end:
      return 0;
    case Turn::partly:
      return __real_recv(socket, into, size == 0 ? 0 : 1, flags);
    case Turn::itself:
      break;
  }
  return __real_recv(socket, into, size, flags);
}

ssize_t __wrap_recvmsg(int socket, msghdr* message, int flags) {
  switch (lmb::test::turn_of("recvmsg", socket, ECONNRESET)) {
    case Turn::fail:
      return -1;
    case Turn::end:
      return 0;
    case Turn::partly:
    case Turn::itself:
      break;
  }
  return __real_recvmsg(socket, message, flags);
}

ssize_t __wrap_send(int socket, const void* from, size_t size, int flags) {
  const auto turn = lmb::test::turn_of("send", socket, EPIPE);
  if (turn == Turn::fail || turn == Turn::end) return -1;
  return __real_send(socket, from, turn == Turn::partly ? 1 : size, flags);
}

ssize_t __wrap_sendmsg(int socket, const msghdr* message, int flags) {
  const auto turn = lmb::test::turn_of("sendmsg", socket, EPIPE);
  if (turn == Turn::fail || turn == Turn::end) return -1;
  if (turn == Turn::partly) {
    for (size_t i = 0; i < message->msg_iovlen; ++i) {
      if (message->msg_iov[i].iov_len > 0) {
        return __real_send(socket, message->msg_iov[i].iov_base, 1, flags);
      }
    }
  }
  return __real_sendmsg(socket, message, flags);
}

int __wrap_connect(int socket, const sockaddr* address, socklen_t size) {
  if (lmb::test::fails("connect", socket, ENETUNREACH)) return -1;
  return __real_connect(socket, address, size);
}

int __wrap_socket(int family, int type, int protocol) {
  if (lmb::test::fails("socket", -1, EMFILE)) return -1;
  return __real_socket(family, type, protocol);
}

int __wrap_epoll_ctl(int epoll, int operation, int socket, epoll_event* event) {
  // epoll_ctl(2): only a socket that is new can lack room.
  if (operation == EPOLL_CTL_ADD && lmb::test::fails("epoll_ctl", socket, ENOSPC)) return -1;
  return __real_epoll_ctl(epoll, operation, socket, event);
}

int __wrap_getsockopt(int socket, int level, int name, void* value, socklen_t* size) {
  if (lmb::test::fails("getsockopt", socket, ENOBUFS)) return -1;
  return __real_getsockopt(socket, level, name, value, size);
}

int __wrap_setsockopt(int socket, int level, int name, const void* value, socklen_t size) {
  if (lmb::test::fails("setsockopt", socket, EINVAL)) return -1;
  return __real_setsockopt(socket, level, name, value, size);
}
}
// NOLINTEND(bugprone-reserved-identifier)

void* operator new(std::size_t bytes) {
  if (auto* memory = lmb::test::allocate(bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) {
  return operator new(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return lmb::test::allocate(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return lmb::test::allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
