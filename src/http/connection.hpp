#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <string>

#include "lmb/http/server.hpp"
#include "lmb/net/timer.hpp"

namespace lmb::http {

/// One client connection of a Server: reads requests, runs the handler, watches for the client's
/// end.
///
/// Shared between its session coroutine, its timer and its readiness watch; thread: the executor.
class Connection {
 public:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  Connection(boost::asio::ip::tcp::socket socket, const ServerOptions& options);

  /// The session: returns when the connection is over.
  static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> self,
                                            Server::Handler handler);

  /// False when the peer cannot be reached; the connection is cut then.
  static boost::asio::awaitable<bool> send(std::shared_ptr<Connection> self, std::string bytes);
  /// Cuts the connection; its session ends soon after.
  void cut(Cut how);

  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }
  [[nodiscard]] boost::asio::ip::tcp::endpoint client() const { return client_; }
  [[nodiscard]] bool gone() const noexcept { return gone_; }
  [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
  void end_after_answer() noexcept { keep_alive_ = false; }
  void on_gone(std::function<void()> callback);

 private:
  static void arm(const std::shared_ptr<Connection>& self, Duration limit);
  void disarm();
  static void watch(const std::shared_ptr<Connection>& self);
  void take_readable();
  void mark_gone();

  static boost::asio::awaitable<bool> await_request(std::shared_ptr<Connection> self);
  static boost::asio::awaitable<bool> read_request(std::shared_ptr<Connection> self,
                                                   Parser& parser);
  static boost::asio::awaitable<void> handle(std::shared_ptr<Connection> self, Request request,
                                             const Server::Handler& handler);
  static boost::asio::awaitable<void> refuse(std::shared_ptr<Connection> self, unsigned status);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::endpoint client_;
  const ServerOptions& options_;  // Owned by Server::Core, which outlives its sessions.
  net::Timer timer_;
  TimePoint deadline_ = TimePoint::max();
  boost::beast::flat_buffer buffer_;
  std::function<void()> on_gone_;
  bool first_request_ = true;
  bool keep_alive_ = true;
  bool timed_out_ = false;
  bool watching_ = false;
  bool watch_pending_ = false;
  bool gone_ = false;
};

}  // namespace lmb::http
