#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace lmb::admin {

/// As net::run_on, for Asio's coroutines: runs `work` on `there` and brings its result to `home`,
/// the calling coroutine's executor, or throws there what it threw. What it touches must stay alive
/// until then. Its result must have a value by default.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> run_there(boost::asio::any_io_executor home,
                                                             boost::asio::any_io_executor there,
                                                             Work work) {
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work>;
  auto begin = [home, there, work = std::move(work)](auto handler) {
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    asio::post(there, [home, work, kept = std::move(kept)]() mutable {
      auto value = std::make_shared<Value>();
      std::exception_ptr failure;
      try {
        *value = work();
      } catch (...) {
        failure = std::current_exception();
      }
      asio::post(home, [kept = std::move(kept), value = std::move(value), failure]() mutable {
        std::move (*kept)(failure, std::move(*value));
      });
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, Value)>(
      std::move(begin), asio::use_awaitable);
}

}  // namespace lmb::admin
