#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"

namespace lmb::http {

/// A whole request, off the data path. Not an aggregate on purpose (g++ 12 and co_await).
struct FetchRequest {
  FetchRequest() = default;
  FetchRequest(std::string request_method, std::string request_target, std::string request_host)
      : method(std::move(request_method)),
        target(std::move(request_target)),
        host(std::move(request_host)) {}

  std::string method = "GET";
  std::string target = "/";
  std::string host;  ///< Host field, e.g. "mac-studio-05.local:1234".
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  ///< Sent with Content-Length when not empty or the method is POST.
  Duration timeout = std::chrono::seconds(2);  ///< For everything together, connecting included.
  std::size_t body_bytes_max = 4 * 1024 * 1024;
};

struct FetchedAnswer {
  FetchedAnswer() = default;
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// Connects to `endpoint`, sends one request with `Connection: close`, reads the whole answer,
/// closes.
///
/// Errors: connect_failed, connect_timeout, worker_closed, bad_response (also: body above
/// body_bytes_max), request_timeout. Executor: the calling coroutine's. Cancellation: terminal
/// cancellation ends it with request_timeout, by closing the connection.
boost::asio::awaitable<Result<FetchedAnswer>> fetch(boost::asio::ip::tcp::endpoint endpoint,
                                                    FetchRequest request);

}  // namespace lmb::http
