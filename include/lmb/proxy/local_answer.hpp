#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <string>
#include <utility>

#include "lmb/base/error.hpp"
#include "lmb/net/task.hpp"

namespace lmb::proxy {

/// A GET or HEAD on a route that we answer ourselves. Not an aggregate on purpose (g++ 12 and
/// co_await).
struct LocalRequest {
  LocalRequest(std::string request_target, std::string_view request_route,
               boost::asio::any_io_executor request_shard)
      : target(std::move(request_target)), route(request_route), shard(std::move(request_shard)) {}
  std::string target;
  std::string_view route;              ///< protocol::Route::label.
  boost::asio::any_io_executor shard;  ///< Where the session lives and must go on.
};

/// A whole answer. For HEAD the body is left out by the session.
struct LocalAnswer {
  LocalAnswer() = default;
  LocalAnswer(unsigned answer_status, std::string answer_type, std::string answer_body)
      : status(answer_status), content_type(std::move(answer_type)), body(std::move(answer_body)) {}
  unsigned status = 200;
  /// With status 0: why there is no answer.
  ErrorKind refusal = ErrorKind::model_not_found;
  std::string content_type = "application/json";
  std::string body;
};

/// Answers local routes; called on the session's shard. What takes longer than a millisecond is
/// moved off the shard inside. Status 0: the session answers with `refusal`.
using LocalRoutes = std::function<net::Task<LocalAnswer>(LocalRequest)>;

}  // namespace lmb::proxy
