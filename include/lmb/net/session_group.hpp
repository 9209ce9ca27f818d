#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <cstddef>
#include <functional>

#include "lmb/net/bell.hpp"

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
/// Thread safety: none; lives on its shard. An exception that leaves a coroutine is logged and
/// counted by `on_escape`, and ends that coroutine only.
class SessionGroup {
 public:
  SessionGroup(boost::asio::io_context& context, std::function<void(const char*)> on_escape);
  ~SessionGroup();
  SessionGroup(const SessionGroup&) = delete;
  SessionGroup& operator=(const SessionGroup&) = delete;

  /// Runs `session` until it ends by itself.
  void spawn(boost::asio::awaitable<void> session);
  /// Raises the stop level and rings every session. `now` is final.
  void stop(StopLevel level);
  [[nodiscard]] StopLevel level() const noexcept { return level_; }
  [[nodiscard]] std::size_t active() const noexcept { return active_; }

 private:
  friend class StopWatch;
  boost::asio::io_context& context_;
  std::function<void(const char*)> on_escape_;
  StopLevel level_ = StopLevel::none;
  std::size_t active_ = 0;
  boost::intrusive::list<StopWatch, boost::intrusive::constant_time_size<false>> watches_;
};

}  // namespace lmb::net
