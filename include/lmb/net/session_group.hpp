#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <cstddef>
#include <functional>

#include "lmb/net/bell.hpp"
#include "lmb/net/task.hpp"

namespace lmb::net {

/// How far a stop goes. Levels only rise.
enum class StopLevel { none, finish_request, now };

class SessionGroup;

/// A session's ear for stops: registers on construction, unlinks on destruction.
class StopWatch : public boost::intrusive::list_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  StopWatch(SessionGroup& group, Bell& bell) noexcept;
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  [[nodiscard]] StopLevel level() const noexcept;

 private:
  friend class SessionGroup;
  SessionGroup& group_;
  Bell& bell_;
};

/// Owner of a shard's coroutines: every one is spawned, counted, told to stop and waited for here.
/// Thread safety: none; lives on its shard. An exception that leaves a coroutine is handed to
/// `on_escape`, and ends that coroutine only.
class SessionGroup {
 public:
  explicit SessionGroup(std::function<void(const char*)> on_escape);
  /// Drops what is left.
  ~SessionGroup();
  SessionGroup(const SessionGroup&) = delete;
  SessionGroup& operator=(const SessionGroup&) = delete;

  /// Runs `session` until its first wait, and from then on whenever it is woken, until it ends.
  void spawn(Task<void> session);
  /// Raises the stop level and rings every session. `now` is final.
  void stop(StopLevel level);
  /// Destroys the sessions that have not ended, where they wait: connections close, leases are
  /// given back. For the end of the program, when nothing of the shard runs any more; never from
  /// within a session. Returns how many there were.
  std::size_t drop() noexcept;
  [[nodiscard]] StopLevel level() const noexcept { return level_; }
  [[nodiscard]] std::size_t active() const noexcept { return active_; }

 private:
  friend class StopWatch;
  /// The outermost coroutine of a session; its frame destroys itself at the end.
  struct Run;
  static Run run(SessionGroup& group, Task<void> session);
  struct RunHook : boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {};

  std::function<void(const char*)> on_escape_;
  StopLevel level_ = StopLevel::none;
  std::size_t active_ = 0;
  boost::intrusive::list<StopWatch, boost::intrusive::constant_time_size<false>> watches_;
  boost::intrusive::list<RunHook, boost::intrusive::constant_time_size<false>> runs_;
};

}  // namespace lmb::net
