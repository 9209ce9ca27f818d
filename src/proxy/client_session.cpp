#include "client_session.hpp"

#include <array>
#include <string>
#include <utility>

#include "lmb/protocol/api_error.hpp"
#include "request_flow.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;

namespace {

/// Counts a connection for as long as it is open.
class OpenConnection {
 public:
  OpenConnection(telemetry::Metrics& metrics, ConnectionCounts::Place place)
      : metrics_(metrics), place_(std::move(place)) {
    metrics_.client_connection_opened();
  }
  ~OpenConnection() { metrics_.client_connection_closed(); }
  OpenConnection(const OpenConnection&) = delete;
  OpenConnection& operator=(const OpenConnection&) = delete;

 private:
  telemetry::Metrics& metrics_;
  ConnectionCounts::Place place_;
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

/// Refused connections are open ones too: of a flood only so many a shard get a moment to read.
constexpr std::size_t refused_at_once_max = 64;

std::string refusal_of_connection() {
  const auto body = protocol::error_body(ErrorKind::too_many_connections, protocol::Dialect::none);
  return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
         "Retry-After: 1\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Counts a refusal for as long as it lingers.
class Refused {
 public:
  explicit Refused(Front& front) : count_(front.refused_connections()) { ++count_; }
  ~Refused() { --count_; }
  Refused(const Refused&) = delete;
  Refused& operator=(const Refused&) = delete;
  [[nodiscard]] bool may_linger() const { return count_ <= refused_at_once_max; }

 private:
  std::size_t& count_;
};

}  // namespace

net::Task<void> refuse_client(Front& front, asio::ip::tcp::socket socket) {
  const Refused refused(front);
  ClientConnection client(front, std::move(socket));
  const auto refusal = refusal_of_connection();
  const std::array<asio::const_buffer, 1> bytes{asio::buffer(refusal)};
  static_cast<void>(client.stream().try_write(bytes));
  if (refused.may_linger()) co_await client.linger();
}

net::Task<void> serve_client(Front& front, asio::ip::tcp::socket socket,
                             ConnectionCounts::Place place) {
  const OpenConnection open(front.shared().metrics, std::move(place));
  ClientConnection client(front, std::move(socket));
  bool linger = false;
  bool more = true;
  while (more) {
    more = co_await serve_one(client, front, linger);
    if (more && client.had_its_turn()) co_await client.let_others_go();
  }
  if (linger && client.stream().is_open()) co_await client.linger();
}

}  // namespace lmb::proxy
