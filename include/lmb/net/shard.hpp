#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/net/deadline.hpp"
#include "lmb/net/session_group.hpp"
#include "lmb/net/timer.hpp"

namespace lmb::net {

/// One thread with one io_context, and what its sessions share: the read buffer, the deadlines, the
/// tick.
///
/// Everything here belongs to the shard's own thread, but for start(), stop(), join() and posting
/// to context().
class Shard {
 public:
  /// 64 KiB: one read of a long prompt.
  static constexpr std::size_t read_buffer_bytes = 64 * 1024;

  /// `on_escape`: told of exceptions that left a session. What leaves anything else of the shard
  /// ends the program: half of a change to what all share is worse than a restart.
  Shard(std::size_t index, std::function<void(const char*)> on_escape);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] DeadlineList& deadlines() noexcept { return deadlines_; }
  [[nodiscard]] SessionGroup& sessions() noexcept { return sessions_; }
  /// Shared by all reads of this shard: what it holds is gone at the next suspension.
  [[nodiscard]] std::span<char> read_buffer() noexcept { return read_buffer_; }

  /// Called on each tick after the deadlines, with the time and how late the tick came. Register
  /// before start().
  using TickAction = std::function<void(TimePoint now, Duration lag)>;
  void on_tick(TickAction action);

  /// Starts the thread. Its signal mask blocks everything: signals are the main thread's.
  void start();
  /// Lets the thread end once nothing is left to do; from any thread.
  void stop();
  void join();

 private:
  void arm_tick();
  void tick();

  const std::size_t index_;
  // Sessions own sockets of the context and are linked into the deadlines: they go first.
  boost::asio::io_context context_;
  DeadlineList deadlines_;
  SessionGroup sessions_;
  Timer tick_timer_;
  TimePoint tick_due_{};
  std::vector<TickAction> tick_actions_;
  std::vector<char> read_buffer_;
  std::thread thread_;
};

}  // namespace lmb::net
