#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "lmb/net/arrival.hpp"
#include "lmb/net/task.hpp"

namespace lmb::net {

/// Runs an Asio coroutine (a library's, or one off the data path) on `home`, the calling task's own
/// shard, and waits for its result. It goes on when the task is destroyed; then its result is
/// dropped.
template <class Value>
Task<Value> await_asio(boost::asio::any_io_executor home, boost::asio::awaitable<Value> coroutine) {
  auto arrival = std::make_shared<Arrival<Value>>();
  auto ended = [arrival](std::exception_ptr failure, Value value) {
    arrival->failure = failure;
    if (!failure) arrival->value.emplace(std::move(value));
    arrival->arrive();
  };
  boost::asio::co_spawn(home, std::move(coroutine), std::move(ended));
  return wait_for(std::move(arrival));
}

}  // namespace lmb::net
