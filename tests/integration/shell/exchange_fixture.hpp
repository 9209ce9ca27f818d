#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmb/upstream/exchange.hpp"
#include "turned_loop.hpp"

namespace lmb::upstream {

/// How reading an answer's body ended, and what came.
struct Body {
  Exchange::BodyStatus status = Exchange::BodyStatus::bytes;
  std::string bytes;
  bool complete = false;
};

/// Reads as the relay does: what is there first, then a wait.
inline net::Task<Body> read_body(Exchange& exchange, net::Interruption& interruption) {
  Body out;
  for (;;) {
    const auto step = exchange.try_read_body();
    out.status = step.status;
    if (step.status == Exchange::BodyStatus::would_block) {
      exchange.arm_read();
      co_await interruption.bell().wait();
      if (interruption.reason()) break;
      continue;
    }
    if (step.status != Exchange::BodyStatus::bytes) break;
    out.bytes += step.payload;
    if (exchange.complete()) break;
  }
  out.complete = exchange.complete();
  co_return out;
}

/// The head, and the body in the same turn: its first bytes lie in the shard's buffer.
struct Answer {
  std::optional<ErrorKind> error;
  unsigned status = 0;
  std::string type;  ///< Content-Type
  Body body;
};

inline net::Task<Answer> read_answer(Exchange& exchange, net::Interruption& interruption,
                                     bool to_head) {
  Answer out;
  const auto head = co_await exchange.read_head(to_head);
  if (!head) {
    out.error = head.error().kind();
    co_return out;
  }
  out.status = exchange.head().status;
  if (const auto* type = exchange.head().fields.find("Content-Type")) out.type = type->value;
  auto body = co_await read_body(exchange, interruption);
  out.body = std::move(body);
  co_return out;
}

/// A worker that a test plays by hand: it listens, and each connection is a Peer.
class ExchangeFixture : public test::TurnedLoop {
 protected:
  using Endpoint = test::tcp::endpoint;
  /// A task that still waits after a failure goes before what it refers to.
  ~ExchangeFixture() override { shard.sessions().drop(); }
  static constexpr WorkerId w0{0};

  template <class T>
  test::Pending<T> begin(net::Task<T> work) {
    test::Pending<T> pending(shard.sessions(), std::move(work));
    turn();
    return pending;
  }
  template <class T>
  T finish(net::Task<T> work) {
    const test::Pending<T> pending(shard.sessions(), std::move(work));
    EXPECT_TRUE(until([&] { return pending.done(); })) << "not done in time";
    return pending.done() ? pending.value() : T();
  }
  /// An exchange on a fresh connection, and the worker's end of it.
  test::Peer connect(Exchange& exchange) {
    const auto connected = finish(exchange.connect({worker.local_endpoint()}));
    EXPECT_TRUE(connected.has_value());
    return test::Peer(worker.accept());
  }
  /// The same, with a request sent and read.
  test::Peer ask(Exchange& exchange) {
    auto peer = connect(exchange);
    EXPECT_TRUE(finish(exchange.send(Outgoing(request, {}))).has_value());
    EXPECT_EQ(peer.read_head(), request);
    return peer;
  }
  /// What our side makes of an answer of these bytes; `cut`: the worker closes behind them.
  Answer answer_of(Exchange& exchange, test::Peer& peer, std::string_view bytes, bool cut = false) {
    peer.send(bytes);
    if (cut) peer.close();
    return finish(read_answer(exchange, interruption, false));
  }
  Answer answer_of(std::string_view bytes, bool cut = false) {
    Exchange exchange(shard, interruption, options, head);
    auto peer = ask(exchange);
    return answer_of(exchange, peer, bytes, cut);
  }
  Endpoint nobody() {
    const test::tcp::acceptor gone(peers, test::loopback());
    return gone.local_endpoint();
  }

  static constexpr std::string_view request = "POST / HTTP/1.1\r\nHost: w\r\n\r\n";
  UpstreamOptions options;
  protocol::ResponseHead head;
  net::Bell bell;
  net::Interruption interruption{bell, shard.deadlines(), shard.sessions()};
  telemetry::Metrics metrics{{"w0"}, {}, {}};
  ConnectionPool pool{1, std::chrono::seconds(4), 8, metrics};
  test::tcp::acceptor worker{peers, test::loopback()};
};

}  // namespace lmb::upstream
