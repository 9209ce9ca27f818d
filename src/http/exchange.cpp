#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <ctime>

#include "connection.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/http/server.hpp"

namespace lmb::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Date in IMF-fixdate form (RFC 9110 section 5.6.7).
std::string http_date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(wall_now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  const std::size_t n = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, n};
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
  LMB_ASSERT(name.find_first_of("\r\n") == std::string_view::npos);
  LMB_ASSERT(value.find_first_of("\r\n") == std::string_view::npos);
  out.append(name).append(": ").append(value).append("\r\n");
}

bool has_body(unsigned status) {
  return status >= 200 && status != 204 && status != 304;
}

void add_chunk(std::string& out, std::string_view payload) {
  char size[2 * sizeof(std::size_t)];
  const auto end = std::to_chars(size, size + sizeof size, payload.size(), 16).ptr;
  out.append(size, end).append("\r\n").append(payload).append("\r\n");
}

}  // namespace

std::string_view Request::path() const noexcept {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::field(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields) {
    if (beast::iequals(key, name)) return value;
  }
  return {};
}

Exchange::Exchange(std::shared_ptr<Connection> connection, Request request)
    : connection_(std::move(connection)), request_(std::move(request)) {}

Exchange::~Exchange() {
  connection_->on_gone(nullptr);
}

asio::any_io_executor Exchange::executor() const {
  return connection_->executor();
}

asio::ip::tcp::endpoint Exchange::client() const {
  return connection_->client();
}

bool Exchange::disconnected() const noexcept {
  return connection_->gone();
}

void Exchange::on_disconnect(std::function<void()> callback) {
  connection_->on_gone(std::move(callback));
}

void Exchange::add_field(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

std::string Exchange::head(unsigned status, std::string_view content_type, bool counted,
                           std::size_t body_bytes) {
  const bool self_delimited = counted || !has_body(status) || request_.http_1_1;
  if (close_after_ || !self_delimited) connection_->end_after_answer();
  const auto reason = beast::http::obsolete_reason(beast::http::int_to_status(status));
  std::string out;
  out.reserve(512);
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason).append("\r\n");
  for (const auto& [name, value] : connection_->options().fields) add_line(out, name, value);
  for (const auto& [name, value] : fields_) add_line(out, name, value);
  if (!content_type.empty()) add_line(out, "Content-Type", content_type);
  if (counted && has_body(status)) add_line(out, "Content-Length", std::to_string(body_bytes));
  if (!counted && request_.http_1_1) add_line(out, "Transfer-Encoding", "chunked");
  add_line(out, "Date", http_date());
  if (connection_->keep_alive()) {
    const auto idle = std::chrono::floor<std::chrono::seconds>(connection_->options().idle_timeout);
    add_line(out, "Connection", "keep-alive");
    add_line(out, "Keep-Alive", "timeout=" + std::to_string(idle.count()));
  } else {
    add_line(out, "Connection", "close");
  }
  return out.append("\r\n");
}

asio::awaitable<bool> Exchange::respond(unsigned status, std::string_view content_type,
                                        std::string_view body) {
  LMB_ASSERT(state_ == State::fresh || state_ == State::cut);
  std::string bytes = head(status, content_type, true, body.size());
  if (request_.method != "HEAD" && has_body(status)) bytes.append(body);
  if (state_ == State::fresh) state_ = State::done;
  return Connection::send(connection_, std::move(bytes));
}

asio::awaitable<bool> Exchange::begin_stream(unsigned status, std::string_view content_type) {
  LMB_ASSERT(state_ == State::fresh || state_ == State::cut);
  if (state_ == State::fresh) state_ = State::streaming;
  return Connection::send(connection_, head(status, content_type, false, 0));
}

void Exchange::append(std::string_view payload) {
  if (state_ != State::streaming || payload.empty() || request_.method == "HEAD") return;
  if (request_.http_1_1) {
    add_chunk(queued_, payload);
  } else {
    queued_.append(payload);
  }
}

asio::awaitable<bool> Exchange::flush() {
  return Connection::send(connection_, std::exchange(queued_, std::string()));
}

asio::awaitable<bool> Exchange::write(std::string_view payload) {
  append(payload);
  return flush();
}

asio::awaitable<bool> Exchange::finish() {
  if (state_ == State::streaming) {
    if (request_.http_1_1 && request_.method != "HEAD") queued_.append("0\r\n\r\n");
    state_ = State::done;
  }
  return flush();
}

asio::awaitable<bool> Exchange::send_raw(std::string_view bytes) {
  if (state_ == State::fresh) state_ = State::done;
  connection_->end_after_answer();
  return Connection::send(connection_, std::string(bytes));
}

void Exchange::abort(Cut how) {
  state_ = State::cut;
  connection_->cut(how);
}

}  // namespace lmb::http
