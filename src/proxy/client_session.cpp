#include "client_session.hpp"

#include <utility>

#include "request_flow.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;

namespace {

/// Counts a connection for as long as it is open.
class OpenConnection {
 public:
  explicit OpenConnection(Shared& shared) : shared_(shared) {
    ++shared_.connections;
    shared_.metrics.client_connection_opened();
  }
  ~OpenConnection() {
    --shared_.connections;
    shared_.metrics.client_connection_closed();
  }
  OpenConnection(const OpenConnection&) = delete;
  OpenConnection& operator=(const OpenConnection&) = delete;

 private:
  Shared& shared_;
};

/// Serves the next request. False: the connection is done; `linger` tells whether the client may
/// still be sending.
net::Task<bool> serve_one(ClientConnection& client, Front& front, bool& linger) {
  auto& head = front.request_head();
  auto begun = Clock::now();
  const auto read = co_await client.read_head(head, begun);
  if (read && !*read) co_return false;
  RequestContext ctx(front, begun);
  if (read) {
    co_await handle_request(client, ctx, head);
  } else {
    auto error = read.error();
    co_await refuse_head(client, ctx, std::move(error));
  }
  linger = !ctx.keep_alive;
  co_return ctx.keep_alive;
}

}  // namespace

net::Task<void> serve_client(Front& front, asio::ip::tcp::socket socket) {
  const OpenConnection open(front.shared());
  ClientConnection client(front, std::move(socket));
  bool linger = false;
  bool more = true;
  while (more) more = co_await serve_one(client, front, linger);
  if (linger && client.stream().is_open()) co_await client.linger();
}

}  // namespace lmb::proxy
