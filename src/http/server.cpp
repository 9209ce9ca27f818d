#include "lmb/http/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "connection.hpp"

namespace lmb::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr Duration accept_pause = std::chrono::milliseconds(100);  // Out of descriptors or memory.

}  // namespace

/// What sessions share with their Server; it lives as long as the last of them.
class Server::Core {
 public:
  Core(asio::any_io_executor core_executor, ServerOptions core_options, Handler core_handler)
      : executor(std::move(core_executor)),
        options(std::move(core_options)),
        handler(std::move(core_handler)),
        ended(executor) {
    ended.expires_at(TimePoint::max());
  }

  void left() {
    if (--alive == 0) ended.cancel();
  }

  static asio::awaitable<void> accept_loop(std::shared_ptr<Core> core,
                                           std::shared_ptr<tcp::acceptor> acceptor);
  static void start_session(const std::shared_ptr<Core>& core, tcp::socket socket);

  asio::any_io_executor executor;
  ServerOptions options;
  Handler handler;
  net::Timer ended;  ///< Cancelled when `alive` reaches 0.
  std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
  std::vector<std::shared_ptr<Connection>> connections;
  std::size_t alive = 0;  ///< Accept loops and sessions.
  std::atomic<std::uint64_t> accepted = 0;
};

namespace {

/// Registers a session for as long as its coroutine's frame exists, also when the executor is
/// destroyed.
template <class Core>
class Presence {
 public:
  Presence(std::shared_ptr<Core> core, std::shared_ptr<Connection> connection)
      : core_(std::move(core)), connection_(std::move(connection)) {
    ++core_->alive;
    if (connection_) core_->connections.push_back(connection_);
  }
  Presence(Presence&& other) noexcept = default;
  Presence& operator=(Presence&&) = delete;
  ~Presence() {
    if (!core_) return;
    std::erase(core_->connections, connection_);
    core_->left();
  }

  [[nodiscard]] const std::shared_ptr<Connection>& connection() const { return connection_; }
  [[nodiscard]] Core& core() const { return *core_; }

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<Connection> connection_;
};

template <class Core>
asio::awaitable<void> run_session(Presence<Core> presence) {
  co_await Connection::serve(presence.connection(), presence.core().handler);
}

/// An exception that leaves a session (out of memory) ends that session only.
template <class Core>
auto session_ended(std::shared_ptr<Core> core) {
  return [core = std::move(core)](const std::exception_ptr& cause) {
    if (!cause) return;
    try {
      std::rethrow_exception(cause);
    } catch (const std::exception& error) {
      core->options.on_escape(error.what());
    } catch (...) {
      core->options.on_escape("not an exception of the standard library");
    }
  };
}

/// Its few bytes fit into any fresh socket; a client that cannot take them is closed without.
void refuse_connection(tcp::socket socket, const ServerOptions& options) {
  const auto body = options.error_body(503);
  const auto answer =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + options.error_type +
      "\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  (void)socket.write_some(asio::buffer(answer), ignored);
}

}  // namespace

void Server::Core::start_session(const std::shared_ptr<Core>& core, tcp::socket socket) {
  ++core->accepted;
  if (core->connections.size() >= core->options.connections_max) {
    core->options.on_connection_refused();
    return refuse_connection(std::move(socket), core->options);
  }
  Presence<Core> presence(core, std::make_shared<Connection>(std::move(socket), core->options));
  asio::co_spawn(core->executor, run_session(std::move(presence)), session_ended(core));
}

asio::awaitable<void> Server::Core::accept_loop(std::shared_ptr<Core> core,
                                                std::shared_ptr<tcp::acceptor> acceptor) {
  const Presence<Core> presence(core, nullptr);
  while (acceptor->is_open()) {
    tcp::socket socket(core->executor);
    auto [ec] = co_await acceptor->async_accept(socket, as_result);
    if (!acceptor->is_open()) break;
    if (!ec) {
      start_session(core, std::move(socket));
    } else if (ec != asio::error::connection_aborted) {
      net::Timer pause(core->executor);
      pause.expires_at(add_saturated(Clock::now(), accept_pause));
      co_await pause.async_wait(as_result);
    }
  }
}

Server::Server(asio::any_io_executor executor, ServerOptions options, Handler handler)
    : core_(std::make_shared<Core>(std::move(executor), std::move(options), std::move(handler))) {}

Server::~Server() {
  stop();
}

Result<tcp::endpoint> Server::listen(tcp::endpoint endpoint) {
  auto acceptor = std::make_shared<tcp::acceptor>(core_->executor);
  error_code ec;
  acceptor->open(endpoint.protocol(), ec);
  if (!ec) acceptor->set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    error_code ignored;  // "[::]" means every address; systems differ in their default.
    acceptor->set_option(asio::ip::v6_only(false), ignored);
  }
  if (!ec) acceptor->bind(endpoint, ec);
  if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
  tcp::endpoint bound;
  if (!ec) bound = acceptor->local_endpoint(ec);
  if (ec) return Error(ErrorKind::internal, ec);
  core_->acceptors.push_back(acceptor);
  asio::co_spawn(core_->executor, Core::accept_loop(core_, acceptor), session_ended(core_));
  return bound;
}

std::vector<tcp::endpoint> Server::endpoints() const {
  std::vector<tcp::endpoint> out;
  for (const auto& acceptor : core_->acceptors) {
    error_code ec;
    const auto endpoint = acceptor->local_endpoint(ec);
    if (!ec) out.push_back(endpoint);
  }
  return out;
}

void Server::close_listeners() {
  for (const auto& acceptor : core_->acceptors) {
    error_code ignored;
    acceptor->close(ignored);
  }
  core_->acceptors.clear();
}

void Server::close_connections() {
  const auto connections = core_->connections;  // A disconnect callback may change the list.
  for (const auto& connection : connections) connection->cut(Cut::close);
}

void Server::stop() {
  close_listeners();
  close_connections();
}

asio::awaitable<void> Server::wait_stopped() {
  const auto core = core_;
  while (core->alive > 0) {
    co_await core->ended.async_wait(as_result);
  }
}

std::size_t Server::connections() const noexcept {
  return core_->connections.size();
}

std::uint64_t Server::connections_accepted() const noexcept {
  return core_->accepted;
}

}  // namespace lmb::http
