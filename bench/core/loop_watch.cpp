#include "loop_watch.hpp"

#include <algorithm>
#include <boost/system/error_code.hpp>

namespace lmb::bench {

void LoopWatch::start() {
  running_ = true;
  wait();
}

void LoopWatch::stop() {
  running_ = false;
  timer_.cancel();
}

void LoopWatch::wait() {
  timer_.expires_at(Clock::now() + interval);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec || !running_) return;
    if (lags_.size() < lags_max) {
      lags_.push_back(std::max(Clock::now() - timer_.expiry(), Duration::zero()));
    }
    if (++ticks_ % ticks_per_call == 0) on_tick_();
    wait();
  });
}

}  // namespace lmb::bench
