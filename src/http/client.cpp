#include "lmb/http/client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>

#include "lmb/net/timer.hpp"

namespace lmb::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr int interim_answers_max = 8;  // 1xx before the real one.

/// The socket and the one deadline of a call; shared with the timer's handler, which may outlive
/// it.
struct Call {
  explicit Call(const asio::any_io_executor& executor) : socket(executor), timer(executor) {}

  tcp::socket socket;
  net::Timer timer;
  bool expired = false;
};

void start_deadline(const std::shared_ptr<Call>& call, Duration timeout) {
  call->timer.expires_at(add_saturated(Clock::now(), timeout));
  call->timer.async_wait([call](error_code ec) {
    if (ec) return;
    call->expired = true;
    error_code ignored;
    call->socket.close(ignored);
  });
}

std::string request_bytes(const FetchRequest& request) {
  std::string out;
  out.reserve(256 + request.body.size());
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ");
  out.append(request.host).append("\r\nConnection: close\r\n");
  for (const auto& [name, value] : request.fields) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty() || request.method == "POST") {
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  out.append("\r\n").append(request.body);
  return out;
}

/// Also for operations that our own deadline or a cancellation ended.
Error failure(const Call& call, error_code ec, ErrorKind kind) {
  if (call.expired || ec == asio::error::operation_aborted) return {ErrorKind::request_timeout, ec};
  return {kind, ec};
}

ErrorKind kind_of_read_error(error_code ec) {
  if (ec.category() != beast::http::make_error_code(beast::http::error::bad_version).category()) {
    return ErrorKind::worker_closed;
  }
  if (ec == beast::http::error::end_of_stream || ec == beast::http::error::partial_message) {
    return ErrorKind::worker_closed;
  }
  return ErrorKind::bad_response;
}

asio::awaitable<Result<FetchedAnswer>> exchange(std::shared_ptr<Call> call, tcp::endpoint endpoint,
                                                FetchRequest request) {
  auto [connect_ec] = co_await call->socket.async_connect(endpoint, as_result);
  if (connect_ec) {
    if (call->expired) co_return Error(ErrorKind::connect_timeout, connect_ec);
    co_return failure(*call, connect_ec, ErrorKind::connect_failed);
  }
  const std::string bytes = request_bytes(request);
  const asio::const_buffer out = asio::buffer(bytes);
  auto [send_ec, sent] = co_await asio::async_write(call->socket, out, as_result);
  // A server may answer and close before it took the whole body: read what it says all the same.
  if (send_ec && (call->expired || send_ec == asio::error::operation_aborted)) {
    co_return failure(*call, send_ec, ErrorKind::worker_closed);
  }
  beast::flat_buffer buffer;
  for (int i = 0; i < interim_answers_max; ++i) {
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(request.body_bytes_max);
    parser.header_limit(head_bytes_max);
    parser.skip(request.method == "HEAD");
    auto [ec, read] = co_await beast::http::async_read(call->socket, buffer, parser, as_result);
    if (ec) co_return failure(*call, ec, kind_of_read_error(ec));
    auto& message = parser.get();
    if (message.result_int() / 100 == 1) continue;
    FetchedAnswer answer;
    answer.status = message.result_int();
    answer.content_type = std::string(message[beast::http::field::content_type]);
    answer.body = std::move(message.body());
    co_return answer;
  }
  co_return Error(ErrorKind::bad_response, "too many interim answers");
}

}  // namespace

asio::awaitable<Result<FetchedAnswer>> fetch(tcp::endpoint endpoint, FetchRequest request) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  // The setting belongs to the whole chain of callers: it is given back as it was.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto call = std::make_shared<Call>(executor);
  start_deadline(call, request.timeout);
  auto result = co_await exchange(call, endpoint, std::move(request));
  call->timer.cancel();
  error_code ignored;
  call->socket.close(ignored);
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return result;
}

}  // namespace lmb::http
