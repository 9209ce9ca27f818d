#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::history {

/// Virtual time: things that will happen, in order of time and, at the same time, of planning.
class Timeline {
 public:
  explicit Timeline(TimePoint start) : now_(start) {}

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] bool empty() const { return planned_.empty(); }

  void at(TimePoint when, std::function<void()> what) {
    planned_.push({when < now_ ? now_ : when, ++count_, std::move(what)});
  }
  /// `what` happens before each planned thing, at its time.
  void before_each(std::function<void()> what) { before_ = std::move(what); }
  void after(Duration wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }

  /// Moves to the next planned thing and lets it happen.
  void step() {
    const Planned next = planned_.top();
    planned_.pop();
    now_ = next.when;
    if (before_) {
      before_();
    }
    next.what();
  }

 private:
  struct Planned {
    TimePoint when;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const Planned& other) const {
      return std::pair(other.when, other.number) < std::pair(when, number);
    }
  };

  TimePoint now_;
  std::function<void()> before_;
  std::uint64_t count_ = 0;
  std::priority_queue<Planned> planned_;
};

}  // namespace lmb::history
