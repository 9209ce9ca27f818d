#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "lmb/base/error.hpp"
#include "lmb/net/bell.hpp"
#include "lmb/net/deadline.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/session_group.hpp"
#include "lmb/net/stream.hpp"

namespace lmb::net {

/// What may end any wait of one request early, whatever it waits for: the client leaves, the
/// request's deadline passes, the program stops. Each wait is: arm what you wait for, `co_await
/// bell().wait()`, ask reason().
///
/// Thread safety: none; one per session, on its shard. Lifetime: shorter than bell, deadline list
/// and group.
class Interruption {
 public:
  Interruption(Bell& bell, DeadlineList& deadlines, SessionGroup& group)
      : bell_(bell),
        deadline_(deadlines, bell),
        step_(deadlines, bell),
        look_(deadlines, bell),
        stop_(group, bell) {}

  [[nodiscard]] Bell& bell() noexcept { return bell_; }
  /// The whole request's limit: reason request_timeout.
  [[nodiscard]] Deadline& deadline() noexcept { return deadline_; }
  /// A limit for the present step; the waiting code asks it itself, since only it knows what it
  /// means.
  [[nodiscard]] Deadline& step() noexcept { return step_; }
  [[nodiscard]] StopLevel stop_level() const noexcept { return stop_.level(); }

  /// Looks out for `client`'s end from now on: FIN or RST = client_gone, seen in the turn in which
  /// it comes. Bytes of a next request are left alone; while they hide a later FIN, the
  /// connection's state is looked at with each tick. With HalfClose::keep a FIN is no end; an RST
  /// behind it is seen with the next tick.
  void watch(Stream& client, HalfClose half_close = HalfClose::abort);
  void unwatch() noexcept;

  /// From now on the client's end ends no wait while `wanted` says so: it is asked when the client
  /// has left and then each second. An empty function ends this. `wanted` may close the stream that
  /// was watched.
  void outlast_client(std::function<bool()> wanted) { wanted_ = std::move(wanted); }
  /// The client has left, and the work goes on without it.
  [[nodiscard]] bool alone() const noexcept { return client_gone_ && wanted_; }

  /// What is waited for will not come, as somebody else found out: every wait ends with `why` until
  /// mend(). Wakes nobody: ring the bell.
  void fail(ErrorKind why) noexcept { failure_ = why; }
  void mend() noexcept { failure_.reset(); }

  /// The first reason that holds now: client_gone, shutting_down (StopLevel::now), what fail() was
  /// told, request_timeout.
  [[nodiscard]] std::optional<ErrorKind> reason();

 private:
  void look_at_client();
  [[nodiscard]] bool client_ended() const noexcept;
  /// Readiness tells nothing more of the client: its connection's state is looked at.
  void look_each_tick();
  /// Whether the work goes on though the client has left.
  [[nodiscard]] bool still_wanted();

  Bell& bell_;
  Deadline deadline_;
  Deadline step_;
  Deadline look_;  ///< At a client whose bytes hide its end; at `wanted_` when it has left.
  StopWatch stop_;
  Stream* client_ = nullptr;
  bool client_gone_ = false;
  HalfClose half_close_ = HalfClose::abort;
  std::function<bool()> wanted_;
  std::optional<ErrorKind> failure_;
};

}  // namespace lmb::net
