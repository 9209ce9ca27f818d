#pragma once

#include <cstddef>

namespace lmb::test {

/// How the chosen system call of a connection ends instead of doing its work.
enum class CallFault {
  error,   ///< With an errno that it may have.
  end,     ///< A read: end of file. Others: an error.
  later,   ///< Would block, although it would not have.
  partly,  ///< One byte is read or written. Others: nothing happens.
};

/// Makes one system call of this program's sockets fail (recv, send, connect, epoll_ctl and their
/// kin, wrapped by the linker), or one allocation. Counting goes on only while armed: the test's
/// own calls are not meant. Thread safety: none; one thread.
struct Failing {
  bool armed = false;
  std::size_t calls = 0;      ///< System calls so far.
  std::size_t fail_call = 0;  ///< The number, from 1, of the one that fails; 0 = none.
  CallFault call_fault = CallFault::error;
  int failed_socket = -1;        ///< Where it failed.
  const char* failed_call = "";  ///< Its name.
  std::size_t allocations = 0;   ///< Of at least `allocation_min` bytes, so far.
  std::size_t allocation_min = 0;
  std::size_t fail_allocation = 0;  ///< The number, from 1, of the one that fails; 0 = none.
  std::size_t failed_bytes = 0;     ///< Its size.
};

/// What is to fail now.
Failing& failing() noexcept;

/// From here to its end the calls are counted and fail.
class Armed {
 public:
  Armed() noexcept { failing().armed = true; }
  ~Armed() { failing().armed = false; }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
};

}  // namespace lmb::test
