#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "lmb/net/timer.hpp"
#include "lmb/sim/engine.hpp"
#include "machine_clock.hpp"
#include "problem.hpp"

namespace lmb::sim {

/// What has become of one job; written by its Pacer, read by the request's handler, on one thread.
class Progress {
 public:
  explicit Progress(const boost::asio::any_io_executor& executor);

  /// Returns when something changed since the last look, or `wake` was called.
  boost::asio::awaitable<void> changed();
  void wake();

  JobId job;  ///< 0 until it is submitted.
  bool prompt_started = false;
  std::uint32_t prompt_tokens = 0;  ///< Processed so far.
  std::uint32_t cached_tokens = 0;
  std::uint32_t tokens = 0;  ///< Given out so far.
  bool finished = false;
  bool cancelled = false;
  std::optional<Problem> failure;  ///< Then it is cancelled too.
  TimePoint submitted_at;          ///< These three on the simulated machine's clock.
  TimePoint first_token_at;
  TimePoint finished_at;

 private:
  net::Timer wake_;
  bool pending_ = false;
};

/// Plays an Engine on the machine's clock. Thread: the executor's.
class Pacer {
 public:
  using Observer = std::function<void(const Event&, const Progress&)>;

  /// `observer` sees every event and must live as long as the Pacer.
  Pacer(const boost::asio::any_io_executor& executor, std::unique_ptr<Engine> engine,
        const MachineClock& clock, Observer observer);

  void submit(Job job, const std::shared_ptr<Progress>& progress);
  void cancel(JobId job);
  /// Nothing more will happen; progress stays as it is.
  void halt();
  /// Every job fails with `problem` and the engine is gone.
  void kill(const Problem& problem);
  /// Every job fails with `problem`; the engine goes on with what comes after.
  void fail_all(const Problem& problem);
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  /// For calls that change the engine from outside; the events that they cause follow.
  void change(const std::function<void(TimePoint)>& work);

 private:
  void pump();
  void tell(const Event& event);

  std::unique_ptr<Engine> engine_;
  MachineClock clock_;
  bool halted_ = false;
  Observer observer_;
  net::Timer timer_;
  std::map<JobId, std::shared_ptr<Progress>> jobs_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // For timer_'s handler.
};

}  // namespace lmb::sim
