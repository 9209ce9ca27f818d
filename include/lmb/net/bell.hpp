#pragma once

#include <coroutine>

namespace lmb::net {

/// One coroutine waits, many sources ring: sockets that became ready, deadlines that passed, a slot
/// that was granted, a stop. After each ring the coroutine looks at the sources' own flags; a ring
/// carries no data, and several rings before one wait are one. This replaces a parallel group per
/// wait (5 us) by a flag (ADR 0003).
///
/// Thread safety: none; every source rings on the coroutine's own shard.
/// Lifetime: must outlive its sources' interest in it (Stream and Deadline drop theirs when
/// destroyed). A waiting coroutine may be destroyed: the bell forgets it.
class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  /// What `co_await bell.wait()` waits with.
  class Wait {
   public:
    explicit Wait(Bell& bell) noexcept : bell_(bell) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait();
    bool await_ready() noexcept;
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    void await_resume() noexcept { waiting_ = false; }

   private:
    Bell& bell_;
    bool waiting_ = false;
  };

  /// Completes when rung, at once if rung since the last wait. One waiter at a time. Cancellation:
  /// none of its own; whoever wants the wait to end rings.
  [[nodiscard]] Wait wait() noexcept { return Wait(*this); }
  /// Wakes the waiter within this call, or leaves the ring for the next wait. The waiter may
  /// destroy the bell.
  void ring();

 private:
  bool rung_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace lmb::net
