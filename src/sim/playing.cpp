#include "playing.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "lmb/net/timer.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

constexpr const char* crash =
    "The model has crashed without additional information. (Exit code: 6)";
constexpr const char* iteration_error =
    "Error in iterating prediction stream: RuntimeError: Encountered fatal exception in the "
    "backend scheduler";
constexpr const char* express_error =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n"
    "</head>\n<body>\n<pre>Internal Server Error</pre>\n</body>\n</html>\n";

std::string half_answer(const std::string& body) {
  std::string out = "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: ";
  out.append(json_type).append("\r\nContent-Length: ").append(std::to_string(body.size()));
  return out.append("\r\n\r\n").append(body, 0, body.size() / 2);
}

asio::awaitable<bool> refuse_with(http::Exchange& exchange, std::string_view message) {
  return refuse(exchange, plain_refusal(message));
}

}  // namespace

asio::awaitable<void> wait_for_disconnect(http::Exchange& exchange) {
  net::Timer left(exchange.executor());
  left.expires_at(TimePoint::max());
  exchange.on_disconnect([&left] { left.cancel(); });
  while (!exchange.disconnected()) {
    co_await left.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  exchange.on_disconnect(nullptr);
}

asio::awaitable<bool> play_before_head(http::Exchange& exchange, Fault fault) {
  switch (fault) {
    case Fault::close_before_head:
      exchange.abort(http::Cut::close);
      co_return true;
    case Fault::garbage:
      co_await exchange.send_raw("\x15\x03\x01 this is not HTTP at all\r\n\r\n");
      co_return true;
    case Fault::stall_before_head:
      co_await wait_for_disconnect(exchange);
      exchange.abort(http::Cut::close);
      co_return true;
    case Fault::error_400_crash:
      co_await refuse_with(exchange, crash);
      co_return true;
    case Fault::status_500:
      co_await exchange.respond(500, "text/html; charset=utf-8", express_error);
      co_return true;
    case Fault::none:
    case Fault::refuse:
    case Fault::close_mid_stream:
    case Fault::reset_mid_stream:
    case Fault::stall_mid_stream:
    case Fault::error_in_stream:
    case Fault::error_mid_stream:
    case Fault::truncated_json:
      break;
  }
  co_return false;
}

asio::awaitable<bool> refuse(http::Exchange& exchange, const Refusal& refusal) {
  return exchange.respond(refusal.status, json_type, refusal.body);
}

asio::awaitable<void> respond_or_play(http::Exchange& exchange, Fault fault,
                                      const std::string& body) {
  if (fault == Fault::error_in_stream || fault == Fault::error_mid_stream) {
    co_await refuse_with(exchange, iteration_error);
    co_return;
  }
  if (fault == Fault::truncated_json) {
    const auto half = std::string_view(body).substr(0, body.size() / 2);
    co_await exchange.respond(200, json_type, half);
    co_return;
  }
  if (fault != Fault::none) {
    const std::string half = half_answer(body);
    co_await exchange.send_raw(half);
    if (fault == Fault::stall_mid_stream) co_await wait_for_disconnect(exchange);
    exchange.abort(fault == Fault::reset_mid_stream ? http::Cut::reset : http::Cut::close);
    co_return;
  }
  co_await exchange.respond(200, json_type, body);
}

}  // namespace lmb::sim
