#include "answer_head.hpp"

#include <array>
#include <boost/beast/http/status.hpp>
#include <charconv>

#include "lmb/protocol/retry_after.hpp"

namespace lmb::proxy {
namespace {

void append_number(std::uint64_t value, std::string& out) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end.ptr);
}

/// Milliseconds with microsecond digits, without floating point.
void append_milliseconds(Duration duration, std::string& out) {
  const auto us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
  append_number(us / 1000, out);
  out += '.';
  const auto rest = us % 1000;
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

/// W3C Server Timing: the phases that are over when the head leaves.
void append_server_timing(const telemetry::PhaseClock& phases, std::string& out) {
  using telemetry::Phase;
  out += "server-timing: ";
  bool first = true;
  for (const auto phase :
       {Phase::read, Phase::proxy, Phase::queue, Phase::connect, Phase::send, Phase::prefill}) {
    if (!first) out += ", ";
    first = false;
    out += to_string(phase);
    out += ";dur=";
    append_milliseconds(phases.spent(phase), out);
  }
  out += "\r\n";
}

void append_framing(const RequestContext& ctx, const ClientFraming& framing, std::string& out) {
  if (framing.kind == protocol::BodyFraming::counted) {
    out += "Content-Length: ";
    append_number(framing.content_length, out);
    out += "\r\n";
  } else if (framing.kind == protocol::BodyFraming::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (!ctx.keep_alive) {
    out += "Connection: close\r\n";
  } else if (!ctx.http_1_1) {
    out += "Connection: keep-alive\r\n";
  }
}

}  // namespace

ClientFraming choose_framing(RequestContext& ctx, const protocol::ResponseHead& worker_head,
                             bool event_stream) {
  ClientFraming framing;
  framing.kind = worker_head.framing;
  framing.content_length = worker_head.content_length;
  const bool counted = framing.kind == protocol::BodyFraming::counted && !event_stream;
  if (counted || framing.kind == protocol::BodyFraming::none) return framing;
  framing.kind = ctx.http_1_1 ? protocol::BodyFraming::chunked : protocol::BodyFraming::until_close;
  if (framing.kind == protocol::BodyFraming::until_close) ctx.keep_alive = false;
  return framing;
}

std::chrono::seconds asked_wait(const protocol::ResponseHead& worker_head) {
  constexpr std::chrono::seconds nothing(0);
  const bool busy = worker_head.status == 429 || worker_head.status == 503;
  const auto* field = worker_head.fields.find(boost::beast::http::field::retry_after);
  if (!busy || field == nullptr) return nothing;
  return protocol::parse_retry_after(field->value, wall_now()).value_or(nothing);
}

void append_answer_head(RequestContext& ctx, unsigned status, std::string_view fields,
                        const ClientFraming& framing, std::string& out) {
  ctx.record.status = status;
  out += "HTTP/1.1 ";
  append_number(status, out);
  out += ' ';
  out += boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  out += "\r\n";
  out += ctx.front.date_line();
  out += fields;
  append_framing(ctx, framing, out);
  if (!ctx.record.request_id.empty()) {
    out += "x-request-id: ";
    out += ctx.record.request_id;
    out += "\r\n";
  }
  if (ctx.record.worker) {
    out += "x-lmb-worker: ";
    out += ctx.front.shared().dispatcher.worker_name(*ctx.record.worker);
    out += "\r\nx-lmb-attempts: ";
    append_number(ctx.record.attempts, out);
    out += "\r\n";
    append_server_timing(ctx.record.phases, out);
  }
  out += "\r\n";
}

}  // namespace lmb::proxy
