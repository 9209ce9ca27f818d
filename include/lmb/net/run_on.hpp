#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <type_traits>
#include <utility>

#include "lmb/net/arrival.hpp"
#include "lmb/net/task.hpp"

namespace lmb::net {

/// Runs `work` on `executor` (the helper thread, another shard) and brings its result to `home`,
/// the calling task's own shard. `work` must not throw, and returns a value; everything that it
/// touches must stay alive until then: this wait cannot be cancelled.
template <class Work>
Task<std::invoke_result_t<Work>> run_on(boost::asio::any_io_executor home,
                                        boost::asio::any_io_executor executor, Work work) {
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work>;
  auto arrival = std::make_shared<Arrival<Value>>();
  auto there = [home, keep_home = asio::make_work_guard(home), arrival,
                work = std::move(work)]() mutable {
    auto value = work();
    asio::post(home, [arrival, value = std::move(value)]() mutable {
      arrival->value.emplace(std::move(value));
      arrival->arrive();
    });
  };
  asio::post(executor, std::move(there));
  return wait_for(std::move(arrival));
}

}  // namespace lmb::net
