#include "connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <exception>

namespace lmb::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using HttpError = beast::http::error;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 16 * 1024;
/// What is read ahead of a handler that is still at work; beyond it a client's end goes unnoticed
/// until then.
constexpr std::size_t read_ahead_max = 256 * 1024;
constexpr std::size_t discard_bytes_max = 1024 * 1024;
constexpr Duration discard_timeout = std::chrono::seconds(1);

Request take_request(Connection::Parser& parser) {
  auto& message = parser.get();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  request.http_1_1 = message.version() >= 11;
  for (const auto& field : message) {
    request.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

/// Framing that two servers could read differently (RFC 9112 sections 6.1 and 6.3), which the
/// parser lets pass.
template <class Message>
bool is_framed_oddly(const Message& message) {
  using beast::http::field;
  const auto codings = message.count(field::transfer_encoding);
  if (codings == 0) return message.count(field::content_length) > 1;
  return codings > 1 || message.version() < 11 || message.count(field::content_length) > 0 ||
         !beast::iequals(message[field::transfer_encoding], "chunked");
}

/// The status for a request that could not be read, or 0: nobody is there to be told.
unsigned status_of_read_error(error_code ec, bool timed_out) {
  if (timed_out) return 408;
  if (ec == HttpError::header_limit) return 431;
  if (ec == HttpError::body_limit) return 413;
  if (ec == HttpError::end_of_stream || ec == HttpError::partial_message) return 0;
  const error_code sample = HttpError::bad_version;
  return ec.category() == sample.category() ? 400 : 0;
}

}  // namespace

Connection::Connection(tcp::socket socket, const ServerOptions& options)
    : socket_(std::move(socket)), options_(options), timer_(socket_.get_executor()) {
  error_code ignored;
  client_ = socket_.remote_endpoint(ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

asio::awaitable<void> Connection::serve(std::shared_ptr<Connection> self, Server::Handler handler) {
  bool go_on = true;
  while (go_on) {
    const bool arrives = co_await await_request(self);
    if (!arrives) break;
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(self->options_.head_bytes_max));
    parser.body_limit(self->options_.body_bytes_max);
    const bool read = co_await read_request(self, parser);
    if (!read) break;
    self->keep_alive_ = parser.get().keep_alive();
    Request request = take_request(parser);
    co_await handle(self, std::move(request), handler);
    // What a client that has closed its side had sent before is answered still.
    go_on =
        self->keep_alive_ && self->socket_.is_open() && (!self->gone_ || self->buffer_.size() > 0);
  }
  self->disarm();
  self->mark_gone();
  error_code ignored;
  self->socket_.shutdown(tcp::socket::shutdown_both, ignored);
  self->socket_.close(ignored);
}

asio::awaitable<bool> Connection::await_request(std::shared_ptr<Connection> self) {
  const bool first = std::exchange(self->first_request_, false);
  if (self->buffer_.size() > 0) co_return true;
  arm(self, first ? self->options_.head_timeout : self->options_.idle_timeout);
  const auto space = self->buffer_.prepare(read_bytes);
  auto [ec, n] = co_await self->socket_.async_read_some(space, as_result);
  self->disarm();
  self->buffer_.commit(n);
  co_return !ec;
}

asio::awaitable<bool> Connection::read_request(std::shared_ptr<Connection> self, Parser& parser) {
  arm(self, self->options_.head_timeout);
  auto [head_ec, head_n] =
      co_await beast::http::async_read_header(self->socket_, self->buffer_, parser, as_result);
  unsigned status = head_ec ? status_of_read_error(head_ec, self->timed_out_) : 0;
  bool failed = static_cast<bool>(head_ec);
  auto& message = parser.get();
  if (!failed && message.version() >= 11 && message.count(beast::http::field::host) != 1) {
    status = 400;
    failed = true;
  }
  if (!failed && is_framed_oddly(message)) {
    status = 400;
    failed = true;
  }
  if (!failed && !parser.is_done()) {
    if (message.version() >= 11 &&
        beast::iequals(message[beast::http::field::expect], "100-continue")) {
      std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
      const bool sent = co_await send(self, std::move(interim));
      failed = !sent;
    }
    if (!failed) {
      arm(self, self->options_.body_timeout);
      auto [ec, n] =
          co_await beast::http::async_read(self->socket_, self->buffer_, parser, as_result);
      failed = static_cast<bool>(ec);
      if (failed) status = status_of_read_error(ec, self->timed_out_);
    }
  }
  self->disarm();
  if (failed && status == 413) self->options_.on_body_refused();
  if (failed && status != 0) co_await refuse(self, status);
  co_return !failed;
}

asio::awaitable<void> Connection::handle(std::shared_ptr<Connection> self, Request request,
                                         const Server::Handler& handler) {
  Exchange exchange(self, std::move(request));
  self->watching_ = true;
  watch(self);
  bool threw = false;
  try {
    co_await handler(exchange);
  } catch (const std::exception& error) {
    threw = true;
    self->options_.on_escape(error.what());
  }
  self->watching_ = false;
  self->on_gone_ = nullptr;
  if (!exchange.answered()) {
    if (threw) exchange.close_after();
    const auto body = self->options_.error_body(500);
    co_await exchange.respond(500, self->options_.error_type, body);
  } else if (exchange.state_ == Exchange::State::streaming) {
    self->cut(Cut::close);
  }
}

asio::awaitable<void> Connection::refuse(std::shared_ptr<Connection> self, unsigned status) {
  self->keep_alive_ = false;
  Exchange exchange(self, Request());
  exchange.close_after();
  const auto body = self->options_.error_body(status);
  const bool sent = co_await exchange.respond(status, self->options_.error_type, body);
  if (!sent) co_return;
  // Closing while the peer still sends would reset the connection and lose the answer.
  error_code ec;
  self->socket_.shutdown(tcp::socket::shutdown_send, ec);
  arm(self, discard_timeout);
  self->buffer_.clear();
  for (std::size_t discarded = 0; !ec && discarded < discard_bytes_max;) {
    const auto space = self->buffer_.prepare(read_bytes);
    auto [read_ec, n] = co_await self->socket_.async_read_some(space, as_result);
    ec = read_ec;
    discarded += n;
  }
}

asio::awaitable<bool> Connection::send(std::shared_ptr<Connection> self, std::string bytes) {
  if (!self->socket_.is_open()) co_return false;
  if (bytes.empty()) co_return true;
  const asio::const_buffer out = asio::buffer(bytes);
  error_code ec;
  const std::size_t sent = self->socket_.write_some(out, ec);
  if (ec == asio::error::would_block) ec = error_code();
  if (!ec && sent < bytes.size()) {
    arm(self, self->options_.write_timeout);
    const asio::const_buffer rest = out + sent;
    auto [write_ec, n] = co_await asio::async_write(self->socket_, rest, as_result);
    ec = write_ec;
    self->disarm();
  }
  if (ec) {
    self->cut(Cut::reset);
    co_return false;
  }
  co_return true;
}

void Connection::cut(Cut how) {
  error_code ignored;
  if (how == Cut::reset) {
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  } else {
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  keep_alive_ = false;
  socket_.close(ignored);
  mark_gone();
}

void Connection::on_gone(std::function<void()> callback) {
  on_gone_ = std::move(callback);
  if (gone_ && on_gone_) std::exchange(on_gone_, nullptr)();
}

void Connection::mark_gone() {
  gone_ = true;
  if (on_gone_) std::exchange(on_gone_, nullptr)();
}

void Connection::arm(const std::shared_ptr<Connection>& self, Duration limit) {
  self->timed_out_ = false;
  self->deadline_ = add_saturated(Clock::now(), limit);
  self->timer_.expires_at(self->deadline_);
  self->timer_.async_wait([self](error_code ec) {
    if (ec || Clock::now() < self->deadline_) return;
    self->timed_out_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void Connection::disarm() {
  deadline_ = TimePoint::max();
  timer_.cancel();
}

void Connection::watch(const std::shared_ptr<Connection>& self) {
  if (self->watch_pending_ || !self->socket_.is_open()) return;
  if (self->buffer_.size() >= read_ahead_max) return;
  self->watch_pending_ = true;
  self->socket_.async_wait(tcp::socket::wait_read, [self](error_code ec) {
    self->watch_pending_ = false;
    if (ec || !self->watching_) return;
    self->take_readable();
    if (!self->gone_) watch(self);
  });
}

void Connection::take_readable() {
  error_code ec;
  const auto space = buffer_.prepare(read_bytes);
  const std::size_t n = socket_.read_some(space, ec);
  buffer_.commit(n);
  if (ec && ec != asio::error::would_block) mark_gone();
}

}  // namespace lmb::http
