#include "attempt.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "lmb/upstream/exchange.hpp"
#include "relay.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;
using telemetry::Phase;

namespace {

std::string make_worker_head(const ClientConnection& client, const RequestContext& ctx,
                             WorkerId worker) {
  const auto& shared = ctx.front.shared();
  const auto& address = shared.workers[worker.value()];
  std::string head = ctx.front.borrow_buffer();
  head += "POST ";
  head += ctx.target;
  head += " HTTP/1.1\r\nHost: ";
  head += upstream::authority(address);
  head += "\r\nContent-Length: ";
  head += std::to_string(ctx.body.size());
  if (!address.api_key.empty()) {
    head += "\r\nAuthorization: Bearer ";
    head += address.api_key;
  }
  head += "\r\nVia: ";
  head += ctx.http_1_1 ? "1.1 " : "1.0 ";
  head += shared.server_name;
  head += "\r\nX-Forwarded-For: ";
  head += client.peer_address();
  head += "\r\nX-Request-Id: ";
  head += ctx.record.request_id;
  head += "\r\n";
  head += ctx.worker_fields;
  head += "\r\n";
  return head;
}

/// A pooled connection, or a new one to the worker's addresses.
asio::awaitable<Result<void>> open_exchange(upstream::Exchange& exchange, RequestContext& ctx,
                                            WorkerId worker, bool fresh) {
  auto& front = ctx.front;
  const bool pooled = !fresh && exchange.open_pooled(front.pool(), worker);
  front.shared().metrics.count_connection(worker, pooled);
  if (pooled) co_return Result<void>();
  ctx.enter(Phase::connect);
  const auto known = front.directory().find(worker);
  std::vector<asio::ip::tcp::endpoint> endpoints(known.begin(), known.end());
  auto connected = co_await exchange.connect(std::move(endpoints));
  co_return connected;
}

}  // namespace

asio::awaitable<Result<dispatch::Lease>> acquire_lease(ClientConnection& client,
                                                       RequestContext& ctx) {
  const auto& shared = ctx.front.shared();
  const auto now = Clock::now();
  const auto wait = ctx.facts.stream ? shared.options.queue.stream : shared.options.queue.other;
  scheduling::Demand demand;
  demand.model = ctx.facts.model;
  demand.tried = ctx.tried;
  demand.deadline = std::min(add_saturated(now, wait), client.interruption().deadline().at());
  dispatch::Acquisition acquisition(ctx.front.shared().dispatcher, ctx.front.shard().index(),
                                    demand, client.interruption().bell());
  if (!acquisition.settled()) ctx.record.phases.enter(Phase::queue, now);
  while (!acquisition.settled()) {
    co_await client.interruption().bell().wait();
    if (const auto why = client.interruption().reason()) co_return *why;
  }
  if (ctx.record.phases.open() == Phase::queue) ctx.enter(Phase::proxy);
  auto lease = acquisition.take();
  co_return lease;
}

asio::awaitable<Result<void>> run_attempt(ClientConnection& client, RequestContext& ctx,
                                          dispatch::Lease& lease, bool fresh,
                                          scheduling::AttemptHistory& history) {
  const auto worker = lease.worker();
  ctx.record.worker = worker;
  upstream::Exchange exchange(ctx.front.shard(), client.interruption(),
                              ctx.front.shared().upstream);
  const auto note = [&] {
    history.connection_reused = exchange.reused();
    history.answer_begun = exchange.answer_begun();
    ctx.record.bytes_to_worker += exchange.bytes_sent();
  };
  auto opened = co_await open_exchange(exchange, ctx, worker, fresh);
  if (!opened) {
    note();
    co_return opened.error();
  }
  ctx.enter(Phase::send);
  auto head = make_worker_head(client, ctx, worker);
  auto sent = co_await exchange.send(head, ctx.body);
  ctx.front.return_buffer(std::move(head));
  if (!sent) {
    note();
    co_return sent.error();
  }
  ctx.enter(Phase::prefill);
  auto headed = co_await exchange.read_head(false);
  if (!headed) {
    note();
    co_return headed.error();
  }
  auto relayed = co_await relay_answer(client, ctx, exchange, lease);
  note();
  co_return relayed;
}

}  // namespace lmb::proxy
