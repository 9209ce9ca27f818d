#include "lmb/net/bell.hpp"

#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::net {
namespace asio = boost::asio;

asio::awaitable<void> Bell::wait() {
  if (rung_) {
    rung_ = false;
    co_return;
  }
  LMB_ASSERT(!waiter_);
  auto keep_waiter = [this](auto handler) { waiter_.emplace(std::move(handler)); };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(keep_waiter,
                                                                       asio::use_awaitable);
}

void Bell::ring() {
  if (!waiter_) {
    rung_ = true;
    return;
  }
  auto waiter = std::move(*waiter_);
  waiter_.reset();
  std::move(waiter)();
}

}  // namespace lmb::net
