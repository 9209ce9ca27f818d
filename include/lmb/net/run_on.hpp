#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "lmb/net/arrival.hpp"
#include "lmb/net/task.hpp"

namespace lmb::net {

/// Runs `work` on `executor` (the helper thread, another shard) and brings its result, or the
/// exception that left it, to `home`, the calling task's own shard. Everything that it touches must
/// stay alive until then, for the work cannot be cancelled: a task that leaves earlier must wait.
template <class Work>
std::shared_ptr<Arrival<std::invoke_result_t<Work>>> start_on(boost::asio::any_io_executor home,
                                                              boost::asio::any_io_executor executor,
                                                              Work work) {
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work>;
  auto arrival = std::make_shared<Arrival<Value>>();
  auto there = [home, keep_home = asio::make_work_guard(home), arrival,
                work = std::move(work)]() mutable {
    std::optional<Value> value;
    std::exception_ptr failure;
    try {
      value.emplace(work());
    } catch (...) {
      failure = std::current_exception();
    }
    asio::post(home, [arrival, value = std::move(value), failure]() mutable {
      arrival->value = std::move(value);
      arrival->failure = failure;
      arrival->arrive();
    });
  };
  asio::post(executor, std::move(there));
  return arrival;
}

/// The same, and waits for it.
template <class Work>
Task<std::invoke_result_t<Work>> run_on(boost::asio::any_io_executor home,
                                        boost::asio::any_io_executor executor, Work work) {
  return wait_for(start_on(std::move(home), std::move(executor), std::move(work)));
}

}  // namespace lmb::net
