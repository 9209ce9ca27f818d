#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "lmb/net/frame_store.hpp"

namespace lmb::net {

template <class T = void>
class Task;

/// What the promises of all tasks share: who waits for the end, and the exception that left the
/// body.
class TaskPromiseBase {
 public:
  /// Goes on with whoever waits. A caller that has not suspended sees done() instead, so a chain of
  /// tasks that never wait runs like plain calls, without tail calls that a debug build lacks.
  struct ResumeCaller {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    static void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      // The caller may destroy `ended`: nothing of it is touched after this.
      if (const auto caller = ended.promise().caller_) caller.resume();
    }
    static void await_resume() noexcept {}
  };

  static void* operator new(std::size_t bytes) { return FrameStore::of_thread().take(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    FrameStore::of_thread().give_back(frame, bytes);
  }
  static std::suspend_always initial_suspend() noexcept { return {}; }
  static ResumeCaller final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure_ = std::current_exception(); }
  void set_caller(std::coroutine_handle<> caller) noexcept { caller_ = caller; }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::coroutine_handle<> caller_;
  std::exception_ptr failure_;
};

template <class T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  static void return_void() noexcept {}
  void take() const { rethrow(); }
};

/// A coroutine of a session: begins when it is awaited, ends before its caller goes on, is owned by
/// the caller's frame. Destroying a task that waits destroys its frame and all that it owns.
///
/// It has no executor: it goes on inside the call that wakes it (Bell::ring). Beside
/// boost::asio::awaitable it spares one frame for each wait, the frames' aligned allocation and the
/// bookkeeping of a thread of coroutines (ADR 0008). Thread safety: none; one shard. Exceptions
/// pass to the caller.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = TaskPromise<T>;

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  static bool await_ready() noexcept { return false; }
  /// False: it ended without a wait, and the caller goes on at once.
  bool await_suspend(std::coroutine_handle<> caller) {
    frame_.resume();
    if (frame_.done()) return false;
    frame_.promise().set_caller(caller);
    return true;
  }
  T await_resume() { return frame_.promise().take(); }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

}  // namespace lmb::net
