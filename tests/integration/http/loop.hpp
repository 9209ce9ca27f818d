#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>

namespace lmb::test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

inline tcp::endpoint loopback(unsigned short port = 0) {
  return {asio::ip::make_address("127.0.0.1"), port};
}

/// Runs `context` until `done()`; false when it is not after ten seconds.
inline bool run_until(asio::io_context& context, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done() && std::chrono::steady_clock::now() < deadline) {
    context.restart();
    context.run_one_for(std::chrono::milliseconds(20));
  }
  return done();
}

/// Runs a coroutine to its end and returns what it returns.
template <class T>
T run(asio::io_context& context, asio::awaitable<T> work) {
  std::optional<T> out;
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr e, T value) {
    failure = e;
    out = std::move(value);
  });
  EXPECT_TRUE(run_until(context, [&] { return out.has_value(); })) << "not done in time";
  if (failure) std::rethrow_exception(failure);
  return out ? std::move(*out) : T();
}

/// A plain client connection that speaks bytes.
class RawClient {
 public:
  RawClient(asio::io_context& context, tcp::endpoint endpoint)
      : context_(context), socket_(context) {
    socket_.connect(endpoint);
  }

  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }

  /// Everything received until `done(text)` or the end; runs the server's loop meanwhile.
  std::string receive_until(const std::function<bool(const std::string&)>& done) {
    socket_.non_blocking(true);
    run_until(context_, [&] {
      read_some();
      return closed_ || done(text_);
    });
    return text_;
  }
  std::string receive_all() {
    return receive_until([](const std::string&) { return false; });
  }

  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] boost::system::error_code error() const { return error_; }
  void forget() { text_.clear(); }
  tcp::socket& socket() { return socket_; }

 private:
  void read_some() {
    if (closed_) return;
    char space[16 * 1024];
    boost::system::error_code ec;
    const std::size_t n = socket_.read_some(asio::buffer(space), ec);
    text_.append(space, n);
    if (ec && ec != asio::error::would_block) {
      closed_ = true;
      error_ = ec;
    }
  }

  asio::io_context& context_;
  tcp::socket socket_;
  std::string text_;
  bool closed_ = false;
  boost::system::error_code error_;
};

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++n;
  }
  return n;
}

}  // namespace lmb::test
