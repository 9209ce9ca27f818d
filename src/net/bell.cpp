#include "lmb/net/bell.hpp"

#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::net {

Bell::Wait::~Wait() {
  // Still waiting here means that the coroutine is destroyed instead of woken.
  if (waiting_) bell_.waiter_ = nullptr;
}

bool Bell::Wait::await_ready() noexcept {
  return std::exchange(bell_.rung_, false);
}

void Bell::Wait::await_suspend(std::coroutine_handle<> waiter) noexcept {
  LMB_ASSERT(!bell_.waiter_);
  bell_.waiter_ = waiter;
  waiting_ = true;
}

void Bell::ring() {
  if (!waiter_) {
    rung_ = true;
    return;
  }
  std::exchange(waiter_, nullptr).resume();
}

}  // namespace lmb::net
