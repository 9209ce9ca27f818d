#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lmb {

/// What went wrong, in one closed list. The one table from kind to status, error body,
/// Retry-After, metric label and termination code is protocol/api_error.hpp.
enum class ErrorKind : std::uint8_t {
  // The client's bytes (400 family).
  bad_request,          ///< Head or framing that RFC 9112 forbids.
  head_too_large,       ///< Head above limits.head_bytes.
  too_many_headers,     ///< More fields than limits.header_count.
  target_too_long,      ///< Request target above limits.target_bytes.
  unsupported_version,  ///< Not HTTP/1.0 or HTTP/1.1.
  unsupported_transfer_coding,
  expectation_failed,  ///< Expect other than 100-continue.
  head_timeout,        ///< Head not complete within timeouts.client_head.
  body_timeout,        ///< No body progress within timeouts.client_body.
  length_required,     ///< POST without Content-Length or chunked coding.
  body_too_large,      ///< Body above limits.body_bytes, before or after inflating.
  bad_chunk,           ///< Broken chunked coding.
  unsupported_content_coding,
  bad_content_coding,  ///< gzip/deflate data that does not inflate.
  bad_json,
  bad_model,  ///< `model` missing, empty, twice, or not a string.
  unknown_route,
  method_not_allowed,
  not_proxied,  ///< Model management calls.
  loop,         ///< The request has come through this process before, by its Via fields.
  model_not_found,
  response_unknown,  ///< `previous_response_id` that no worker is known to have made.
  response_away,     ///< The worker that made it is not there now. Detail: its name.
  unauthorized,
  client_gone,     ///< The client closed or reset; nobody is left to answer.
  client_stalled,  ///< The client took no byte within timeouts.client_write.
  // Our own limits and state.
  queue_full,
  queue_timeout,     ///< No slot became free within queue.max_wait.
  no_worker,         ///< No worker for the model is up.
  body_memory_full,  ///< limits.body_memory is used up.
  out_of_memory,     ///< The system gave no memory.
  inspections_full,  ///< limits.inspections is used up.
  too_many_connections,
  request_timeout,  ///< timeouts.request passed.
  shutting_down,
  internal,
  // The worker.
  connect_failed,      ///< Refused, unreachable, name not resolved.
  connect_timeout,     ///< Not connected within timeouts.connect.
  send_failed,         ///< Reset while the request was being sent.
  send_timeout,        ///< The worker took no byte within timeouts.send.
  worker_closed,       ///< Closed or reset before the answer was complete.
  worker_silent,       ///< Found wedged: silent for longer than its own past explains.
  bad_response,        ///< An answer that RFC 9112 forbids, or one that cannot be relayed.
  request_refused,     ///< A stream's first event says that the request itself is wrong.
  load_timeout,        ///< The worker did not load the model within models.load_timeout.
  model_unavailable,   ///< The worker cannot provide the model now. Detail: its own words.
  worker_error,        ///< The worker's own fault, told in an answer (status or stream event).
  worker_refused_key,  ///< 401 or 403: it does not take workers[].api_key. Detail: its name.
  route_unsupported,   ///< LM Studio's 200 "Unexpected endpoint": this worker lacks the route.
};
inline constexpr std::size_t error_kind_count =
    static_cast<std::size_t>(ErrorKind::route_unsupported) + 1;

/// The enumerator's name, e.g. "queue_full"; also the metric label.
std::string_view to_string(ErrorKind kind) noexcept;

/// A failure as a value.
/// Not an aggregate on purpose: g++ 12 destroys aggregate temporaries twice beside a co_await.
class Error {
 public:
  Error() noexcept : Error(ErrorKind::internal) {}
  /// `detail` goes to logs, and to the client only for kinds that are the client's own fault and
  /// for worker_refused_key and model_unavailable:
  /// it must never hold secrets, worker addresses or prompt text.
  // NOLINTNEXTLINE(google-explicit-constructor): `return ErrorKind::x;` reads well.
  Error(ErrorKind kind, std::string detail = {}) noexcept
      : kind_(kind), detail_(std::move(detail)) {}
  Error(ErrorKind kind, boost::system::error_code cause) : kind_(kind), cause_(cause) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  [[nodiscard]] boost::system::error_code cause() const noexcept { return cause_; }

 private:
  ErrorKind kind_;
  boost::system::error_code cause_;
  std::string detail_;
};

/// Lets boost::system::result<T, Error>::value() throw; only start-up code calls value().
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

/// A value or an Error.
template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

}  // namespace lmb
