#include "playing.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "error_answers.hpp"
#include "lmb/net/timer.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

std::string half_answer(const std::string& body) {
  std::string out = "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: ";
  out.append(json_type).append("\r\nContent-Length: ").append(std::to_string(body.size()));
  return out.append("\r\n\r\n").append(body, 0, body.size() / 2);
}

/// The model that a request names; empty if that cannot be read.
std::string model_named(const http::Request& request) {
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) return {};
  const auto model = body.find("model");
  return model != body.end() && model->is_string() ? model->get<std::string>() : std::string();
}

asio::awaitable<bool> respond_with(http::Exchange& exchange, ErrorAnswer error) {
  const http::Request& request = exchange.request();
  const std::string asked = request.method + " " + std::string(request.path());
  const PlayedError played = play(error, asked, model_named(request));
  const char* type = played.html ? "text/html; charset=utf-8" : json_type;
  co_return co_await exchange.respond(played.status, type, played.body);
}

bool is_cut(Fault fault) {
  return fault == Fault::close_mid_stream || fault == Fault::reset_mid_stream ||
         fault == Fault::stall_mid_stream;
}

bool is_stream_error(Fault fault) {
  return fault == Fault::error_in_stream || fault == Fault::error_mid_stream;
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

asio::awaitable<bool> play_before_head(http::Exchange& exchange, Misbehaviour what) {
  if (what.error != ErrorAnswer::none && !is_stream_error(what.fault)) {
    co_await respond_with(exchange, what.error);
    co_return true;
  }
  switch (what.fault) {
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
      co_await respond_with(exchange, ErrorAnswer::crashed_exit_code);
      co_return true;
    case Fault::status_500:
      co_await respond_with(exchange, ErrorAnswer::express_failure);
      co_return true;
    case Fault::none:
    case Fault::refuse:
    case Fault::close_mid_stream:
    case Fault::reset_mid_stream:
    case Fault::stall_mid_stream:
    case Fault::error_in_stream:
    case Fault::error_mid_stream:
    case Fault::truncated_json:
    case Fault::empty_stream:
    case Fault::engine_crash:
    case Fault::engine_wedge:
    case Fault::context_overflow:
      break;
  }
  co_return false;
}

asio::awaitable<bool> refuse(http::Exchange& exchange, const Refusal& refusal) {
  return exchange.respond(refusal.status, json_type, refusal.body);
}

asio::awaitable<void> respond_or_play(http::Exchange& exchange, Misbehaviour what,
                                      const std::string& body) {
  if (is_stream_error(what.fault)) {
    if (what.error == ErrorAnswer::none) what.error = ErrorAnswer::iteration_error;
    co_await respond_with(exchange, what.error);
    co_return;
  }
  if (is_cut(what.fault)) {
    const std::string half = half_answer(body);
    co_await exchange.send_raw(half);
    if (what.fault == Fault::stall_mid_stream) co_await wait_for_disconnect(exchange);
    exchange.abort(what.fault == Fault::reset_mid_stream ? http::Cut::reset : http::Cut::close);
    co_return;
  }
  std::string_view sent = body;
  if (what.fault == Fault::truncated_json) sent = sent.substr(0, sent.size() / 2);
  if (what.fault == Fault::empty_stream) sent = {};
  co_await exchange.respond(200, json_type, sent);
}

}  // namespace lmb::sim
