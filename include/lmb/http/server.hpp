#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"

namespace lmb::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A whole request as a handler sees it; its body is decoded.
struct Request {
  std::string method;
  std::string target;
  bool http_1_1 = true;
  Fields fields;
  std::string body;

  /// The target without its query.
  [[nodiscard]] std::string_view path() const noexcept;
  /// First value of the field, names compared without regard to case; empty if there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
};

/// How a connection is cut before its answer is complete.
enum class Cut : std::uint8_t {
  close,  ///< FIN: the peer reads end of file.
  reset,  ///< RST: the peer's next read fails; what it has not read yet is lost.
};

class Connection;

/// One request and the means to answer it, once, whole or as a stream.
///
/// Lives as long as the handler's coroutine. Thread: the server's executor.
/// Every write returns false when the client can no longer be reached; then nothing more needs
/// writing. The server answers 500 for a handler that returns without an answer, and cuts a stream
/// that was not finished.
class Exchange {
 public:
  Exchange(std::shared_ptr<Connection> connection, Request request);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] const Request& request() const noexcept { return request_; }
  [[nodiscard]] boost::asio::any_io_executor executor() const;
  [[nodiscard]] boost::asio::ip::tcp::endpoint client() const;

  /// Adds a field to the answer's head. Neither may hold CR or LF.
  void add_field(std::string name, std::string value);
  /// The connection ends after this answer.
  void close_after() noexcept { close_after_ = true; }

  // None of these six is a coroutine: what is to be sent is built when they are called, so their
  // arguments need not live until the await ends.

  /// Sends a complete answer with Content-Length (to HEAD: its head only).
  boost::asio::awaitable<bool> respond(unsigned status, std::string_view content_type,
                                       std::string_view body);

  /// Sends the head at once; the body follows in chunks, or until close for HTTP/1.0.
  boost::asio::awaitable<bool> begin_stream(unsigned status, std::string_view content_type);
  /// Sends one chunk. An empty payload sends nothing.
  boost::asio::awaitable<bool> write(std::string_view payload);
  /// Queues one chunk; `flush` sends all that were queued in one write.
  void append(std::string_view payload);
  boost::asio::awaitable<bool> flush();
  /// Sends the last chunk.
  boost::asio::awaitable<bool> finish();

  /// Sends bytes as they are, without any framing; for playing a broken server. The connection ends
  /// after the handler.
  boost::asio::awaitable<bool> send_raw(std::string_view bytes);
  /// Cuts the connection now.
  void abort(Cut how);

  /// The client closed its side or reset, or the server was stopped. A client that only shut down
  /// its sending side counts as gone too (as in Node), but an answer is still tried.
  [[nodiscard]] bool disconnected() const noexcept;
  /// Calls `callback` on the executor when `disconnected` becomes true, or at once if it is;
  /// replaces the callback set before. It is never called after the handler has returned.
  void on_disconnect(std::function<void()> callback);

  /// True when a head was sent or the connection was cut: the request has had its answer.
  [[nodiscard]] bool answered() const noexcept { return state_ != State::fresh; }

 private:
  friend class Connection;
  enum class State : std::uint8_t { fresh, streaming, done, cut };

  std::string head(unsigned status, std::string_view content_type, bool counted,
                   std::size_t body_bytes);

  std::shared_ptr<Connection> connection_;
  Request request_;
  Fields fields_;
  std::string queued_;
  State state_ = State::fresh;
  bool close_after_ = false;
};

struct ServerOptions {
  Duration idle_timeout =
      std::chrono::seconds(5);  ///< Between requests; told as Keep-Alive: timeout.
  Duration head_timeout =
      std::chrono::seconds(10);  ///< For the whole head, from its first byte or accept.
  Duration body_timeout = std::chrono::seconds(30);   ///< For the whole request body.
  Duration write_timeout = std::chrono::seconds(60);  ///< For one write to be taken by the peer.
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 4 * 1024 * 1024;
  std::size_t connections_max = 4096;  ///< Beyond it a connection gets 503 and is closed at once.
  /// That happened. On the executor.
  std::function<void()> on_connection_refused = [] {};
  Fields fields;                                         ///< In every answer, e.g. X-Powered-By.
  std::string error_type = "text/plain; charset=utf-8";  ///< Content-Type of error_body.
  /// The body that refuses a request which cannot be read: 400, 408, 413 or 431; one whose handler
  /// failed: 500; or a connection too many: 503. On the executor.
  std::function<std::string(unsigned status)> error_body = [](unsigned status) {
    if (status == 503) return std::string("Too many connections\n");
    return std::string(status < 500 ? "Bad request\n" : "Internal Server Error\n");
  };
  /// A request was refused for a body above body_bytes_max. On the executor.
  std::function<void()> on_body_refused = [] {};
  /// An exception left a handler or a session, which ended by it: a fault of ours. On the executor.
  std::function<void(const char* what)> on_escape = [](const char*) {};
};

/// A small HTTP/1.1 and 1.0 server for everything off the data path (admin, simulated workers): one
/// coroutine per connection, keep-alive, pipelined requests answered in order, Expect:
/// 100-continue.
///
/// Requests that break the rules are answered without the handler: 400, 408, 413, 431, then closed.
/// Thread: every call on the executor's thread (or before it runs); the executor runs one handler
/// at a time. Lifetime: may be destroyed at any time on that thread; its connections then end by
/// themselves as the executor runs, so what the handler uses must live until `connections()` was 0
/// or the executor is gone.
class Server {
 public:
  using Handler = std::function<boost::asio::awaitable<void>(Exchange&)>;

  Server(boost::asio::any_io_executor executor, ServerOptions options, Handler handler);
  /// Stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and starts to accept; port 0 lets the kernel choose. Returns the endpoint bound.
  /// Errors: internal, with the system's error as cause (address in use, not available, no
  /// permission).
  Result<boost::asio::ip::tcp::endpoint> listen(boost::asio::ip::tcp::endpoint endpoint);
  /// Endpoints listened on now, in order of `listen`.
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;

  /// New connections are refused from now on; those that exist live on. `listen` may follow.
  void close_listeners();
  /// Closes all connections now; handlers see their client disconnect.
  void close_connections();
  /// Both. All sessions end within the executor's next turns, provided handlers end when their
  /// client disconnects.
  void stop();
  /// Returns when no listener and no session is left. One waiter at a time.
  boost::asio::awaitable<void> wait_stopped();

  [[nodiscard]] std::size_t connections() const noexcept;
  /// May be called from any thread.
  [[nodiscard]] std::uint64_t connections_accepted() const noexcept;

 private:
  class Core;
  friend class Connection;
  std::shared_ptr<Core> core_;
};

}  // namespace lmb::http
