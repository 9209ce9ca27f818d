#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace lmb::net {

/// Runs `work` on `executor` (the helper thread, another shard) and brings its result back to the
/// calling coroutine's own shard. `work` must not throw, returns a value, and everything that it
/// touches must stay alive until then: this wait cannot be cancelled.
template <class Executor, class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> run_on(Executor executor, Work work) {
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work>;
  auto start = [executor, work = std::move(work)](auto handler) mutable {
    auto home = asio::get_associated_executor(handler);
    auto keep_home = asio::make_work_guard(home);
    asio::post(executor, [home, keep_home = std::move(keep_home), handler = std::move(handler),
                          work = std::move(work)]() mutable {
      auto value = work();
      asio::post(home, [handler = std::move(handler), value = std::move(value)]() mutable {
        std::move(handler)(std::move(value));
      });
    });
  };
  auto value = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Value)>(
      std::move(start), asio::use_awaitable);
  co_return value;
}

}  // namespace lmb::net
