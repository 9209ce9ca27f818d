#include "refusal.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "answer_head.hpp"
#include "client_writer.hpp"
#include "limit_name.hpp"
#include "lmb/protocol/api_error.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;

namespace {

net::Task<Result<void>> send_whole(ClientConnection& client, RequestContext& ctx, std::string head,
                                   std::string body) {
  auto& shared = ctx.front.shared();
  auto& interruption = client.interruption();
  client.keep_unread();
  // Our own answers are at most a scrape of /metrics; waiting for the client to take them is
  // bounded by time.
  ClientWriter writer(client.stream(), shared.stream_memory, head.size() + body.size() + 1);
  const ClientWriter::Buffers buffers{asio::buffer(head), asio::buffer(body), asio::const_buffer()};
  bool open = writer.write(buffers);
  auto& stall = interruption.step();
  std::optional<std::uint64_t> taken;
  while (open && writer.pending() > 0) {
    if (interruption.stop_level() == net::StopLevel::now) co_return Error(ErrorKind::shutting_down);
    const bool progressed = std::exchange(taken, writer.bytes_taken()) != taken;
    if (progressed) stall.set(Clock::now() + shared.options.timeouts.client_write);
    client.stream().arm_write(interruption.bell());
    co_await interruption.bell().wait();
    if (stall.passed() && writer.bytes_taken() == taken) {
      co_return Error(ErrorKind::client_stalled);
    }
    if (interruption.deadline().passed()) co_return Error(ErrorKind::request_timeout);
    open = writer.flush();
  }
  stall.clear();
  ctx.record.bytes_to_client += writer.bytes_written();
  if (!open) co_return Error(ErrorKind::client_gone);
  co_return Result<void>();
}

std::string refusal_fields(const RequestContext& ctx, ErrorKind kind) {
  const auto& row = protocol::error_row(kind);
  const auto& dispatcher = ctx.front.shared().dispatcher;
  std::string fields = "Content-Type: application/json\r\n";
  const bool asked = kind == ErrorKind::worker_error && ctx.worker_wait > std::chrono::seconds(0);
  if (row.retry_after || asked) {
    std::int64_t wait = kind == ErrorKind::model_unavailable
                            ? dispatcher.load_retry_after_seconds(ctx.facts.model)
                            : dispatcher.retry_after_seconds();
    if (asked) wait = std::max<std::int64_t>(wait, ctx.worker_wait.count());
    fields += "Retry-After: ";
    fields += std::to_string(wait);
    fields += "\r\n";
  }
  // RFC 9110 section 15.5.2.
  if (row.status == 401) fields += "WWW-Authenticate: Bearer\r\n";
  if (row.status == 405) {
    fields += "Allow: ";
    fields += ctx.route.allow;
    fields += "\r\n";
  }
  return fields;
}

}  // namespace

net::Task<Result<void>> send_local(ClientConnection& client, RequestContext& ctx,
                                   LocalAnswer answer) {
  ClientFraming framing;
  framing.content_length = answer.body.size();
  const std::string fields =
      "Content-Type: " + answer.content_type + "\r\nCache-Control: no-store\r\n";
  std::string head;
  append_answer_head(ctx, answer.status, fields, framing, head);
  if (ctx.is_head) answer.body.clear();
  ctx.committed = true;
  auto sent = co_await send_whole(client, ctx, std::move(head), std::move(answer.body));
  co_return sent;
}

net::Task<void> refuse(ClientConnection& client, RequestContext& ctx, Error error) {
  const auto& row = protocol::error_row(error.kind());
  auto& metrics = ctx.front.shared().metrics;
  ctx.note_error(error.kind());
  const auto limit = limit_name(error.kind(), ctx.record.stream);
  if (!limit.empty()) metrics.count_limit_hit(limit);
  if (ctx.answer_ended) co_return;
  if (ctx.committed || row.status == 0) {
    ctx.keep_alive = false;
    // Without chunks or a length a regular end would make the cut answer look whole.
    if (ctx.close_delimited) {
      client.stream().reset();
    } else {
      client.stream().close();
    }
    co_return;
  }
  const bool draining = client.interruption().stop_level() != net::StopLevel::none;
  if (row.close || draining) ctx.keep_alive = false;
  ctx.enter(telemetry::Phase::proxy);
  auto body = protocol::error_body(error, ctx.route.dialect);
  ClientFraming framing;
  framing.content_length = body.size();
  std::string head;
  append_answer_head(ctx, row.status, refusal_fields(ctx, error.kind()), framing, head);
  if (ctx.is_head) body.clear();
  ctx.committed = true;
  // The refusal may be that the request's time is over.
  client.interruption().deadline().clear();
  auto sent = co_await send_whole(client, ctx, std::move(head), std::move(body));
  if (sent) co_return;
  const auto unread = limit_name(sent.error().kind(), ctx.record.stream);
  if (!unread.empty()) metrics.count_limit_hit(unread);
  ctx.keep_alive = false;
  client.stream().close();
}

}  // namespace lmb::proxy
