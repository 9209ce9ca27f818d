#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace lmb::net {

/// One coroutine waits, many sources ring: sockets that became ready, deadlines that passed, a slot
/// that was granted, a stop. After each ring the coroutine looks at the sources' own flags; a ring
/// carries no data, and several rings before one wait are one. This replaces a parallel group per
/// wait (5 us) by a flag (ADR 0003).
///
/// Thread safety: none; every source rings on the coroutine's own shard.
/// Lifetime: must outlive its sources' interest in it (Stream and Deadline drop theirs when
/// destroyed).
class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  /// Completes when rung, at once if rung since the last wait. One waiter at a time. Executor: the
  /// calling coroutine's. Cancellation: none of its own; whoever wants the wait to end rings.
  boost::asio::awaitable<void> wait();
  /// Wakes the waiter within this call, or leaves the ring for the next wait.
  void ring();

 private:
  /// Asio's own handler type for a coroutine: stored as it is, without type erasure or allocation.
  using Waiter = boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::handler_type;

  bool rung_ = false;
  std::optional<Waiter> waiter_;
};

}  // namespace lmb::net
