#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/net/timer.hpp"

namespace lmb::bench {

/// Ticks on the load generator's own loop and notes how late each tick came: the time by which
/// every measured event may have been read too late. Thread: the executor's. Lifetime: outlives the
/// run of the executor.
class LoopWatch {
 public:
  static constexpr Duration interval = std::chrono::milliseconds(10);
  static constexpr int ticks_per_call = 10;
  /// Three hours of ticks; after them only every call of `on_tick` goes on.
  static constexpr std::size_t lags_max = 1 << 20;

  /// `on_tick` is called every tenth tick.
  LoopWatch(const boost::asio::any_io_executor& executor, std::function<void()> on_tick)
      : timer_(executor), on_tick_(std::move(on_tick)) {}

  void start();
  void stop();
  /// Forgets the lags so far: the measured phase begins.
  void forget() noexcept { lags_.clear(); }
  [[nodiscard]] const std::vector<Duration>& lags() const noexcept { return lags_; }

 private:
  void wait();

  net::Timer timer_;
  std::function<void()> on_tick_;
  std::vector<Duration> lags_;
  int ticks_ = 0;
  bool running_ = false;
};

}  // namespace lmb::bench
