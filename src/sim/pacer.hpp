#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>

#include "lmb/net/timer.hpp"
#include "lmb/sim/engine.hpp"

namespace lmb::sim {

/// What has become of one job; written by its Pacer, read by the request's handler, on one thread.
class Progress {
 public:
  explicit Progress(const boost::asio::any_io_executor& executor);

  /// Returns when something changed since the last look, or `wake` was called.
  boost::asio::awaitable<void> changed();
  void wake();

  JobId job;
  std::uint32_t tokens = 0;  ///< Given out so far.
  std::uint32_t cached_tokens = 0;
  bool finished = false;
  bool cancelled = false;
  TimePoint submitted_at;  ///< These three on the simulated machine's clock.
  TimePoint first_token_at;
  TimePoint finished_at;

 private:
  net::Timer wake_;
  bool pending_ = false;
};

/// Plays an Engine on the program's clock, `speed` times as fast. Thread: the executor's.
class Pacer {
 public:
  using Observer = std::function<void(const Event&)>;

  /// `observer` sees every event and must live as long as the Pacer.
  Pacer(const boost::asio::any_io_executor& executor, std::unique_ptr<Engine> engine, double speed,
        Observer observer);

  std::shared_ptr<Progress> submit(Job job);
  void cancel(JobId job);
  /// Nothing more will happen; progress stays as it is.
  void halt();
  [[nodiscard]] const Engine& engine() const { return *engine_; }

 private:
  [[nodiscard]] TimePoint simulated(TimePoint real) const;
  [[nodiscard]] TimePoint real(TimePoint simulated) const;
  void pump();
  void tell(const Event& event);

  std::unique_ptr<Engine> engine_;
  double speed_;
  bool halted_ = false;
  Observer observer_;
  TimePoint epoch_;
  net::Timer timer_;
  std::map<JobId, std::shared_ptr<Progress>> jobs_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // For timer_'s handler.
};

}  // namespace lmb::sim
