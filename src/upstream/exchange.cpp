#include "lmb/upstream/exchange.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <utility>
#include <vector>

#include "lmb/net/connect.hpp"

namespace lmb::upstream {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// A worker may send some 100 or 103; more is no answer any more.
constexpr int interim_answers_max = 8;

Error endless() {
  return {ErrorKind::bad_response, "endless 1xx answers"};
}

}  // namespace

bool Outgoing::empty() const noexcept {
  return std::all_of(pieces_.begin(), pieces_.end(),
                     [](std::string_view piece) { return piece.empty(); });
}

std::array<asio::const_buffer, Outgoing::pieces_max> Outgoing::buffers() const noexcept {
  std::array<asio::const_buffer, pieces_max> buffers;
  for (std::size_t i = 0; i < pieces_max; ++i) {
    buffers[i] = asio::buffer(pieces_[i].data(), pieces_[i].size());
  }
  return buffers;
}

void Outgoing::consume(std::size_t bytes) noexcept {
  for (auto& piece : pieces_) {
    const auto taken = std::min(bytes, piece.size());
    piece.remove_prefix(taken);
    bytes -= taken;
  }
}

Exchange::Exchange(net::Shard& shard, net::Interruption& interruption,
                   const UpstreamOptions& options, protocol::ResponseHead& head)
    : shard_(shard), interruption_(interruption), options_(options), head_(head) {}

bool Exchange::open_pooled(ConnectionPool& pool, WorkerId worker) {
  auto pooled = pool.take(worker, Clock::now());
  if (!pooled) return false;
  stream_ = std::move(*pooled);
  reused_ = true;
  return true;
}

net::Task<Result<void>> Exchange::connect(std::vector<tcp::endpoint> endpoints) {
  auto connecting = net::connect(shard_.context().get_executor(), interruption_,
                                 std::move(endpoints), options_.connect_timeout);
  auto connected = co_await std::move(connecting);
  if (!connected) co_return connected.error();
  stream_ = std::move(*connected);
  reused_ = false;
  co_return Result<void>();
}

bool Exchange::try_send(Outgoing& pieces) {
  while (!pieces.empty()) {
    const auto buffers = pieces.buffers();
    const auto step = stream_.try_write(buffers);
    if (step.would_block()) return false;
    if (step.ended()) {
      // The worker may have answered before it closed: that answer explains more than our failed
      // write.
      send_broken_ = true;
      return true;
    }
    bytes_sent_ += step.bytes;
    pieces.consume(step.bytes);
  }
  return true;
}

net::Task<Result<void>> Exchange::send(Outgoing pieces) {
  auto sent = co_await send_all(pieces);
  // Whatever comes next has a limit of its own.
  interruption_.step().clear();
  co_return sent;
}

net::Task<Result<void>> Exchange::send_all(Outgoing pieces) {
  auto& limit = interruption_.step();
  limit.set(Clock::now() + options_.send_timeout);
  for (auto sent = bytes_sent_; !try_send(pieces);) {
    // Only a byte taken is progress, not what the worker says meanwhile.
    if (std::exchange(sent, bytes_sent_) != bytes_sent_) {
      limit.set(Clock::now() + options_.send_timeout);
    }
    stream_.arm_write(interruption_.bell());
    arm_read();
    co_await interruption_.bell().wait();
    if (const auto why = interruption_.reason()) co_return *why;
    const auto answered = stream_.read_ready() ? answered_early() : Result<bool>(false);
    if (!answered) co_return answered.error();
    if (*answered) {
      send_broken_ = true;
      break;
    }
    if (limit.passed()) co_return Error(ErrorKind::send_timeout);
  }
  co_return Result<void>();
}

/// Reads what came while the request is still leaving. True: an answer that refuses the rest of it,
/// or the connection's end. Interim answers end here (RFC 9110 section 15.2); half a head is kept.
Result<bool> Exchange::answered_early() {
  const auto step = stream_.try_read(shard_.read_buffer());
  if (step.would_block()) return false;
  if (step.ended()) return true;
  bytes_received_ += step.bytes;
  partial_.append(shard_.read_buffer().data(), step.bytes);
  std::size_t end = 0;
  do {
    partial_.erase(0, end);
    const auto found = find_end(partial_, 0);
    if (!found) return found.error();
    end = *found;
    if (end == 0) break;
    auto parsed = protocol::parse_response_head(std::string_view(partial_).substr(0, end),
                                                head_limits(), false, head_);
    if (!parsed) return parsed.error();
    if (head_.status < 200 && ++interim_answers_ > interim_answers_max) return endless();
  } while (head_.status < 200);
  surplus_ = std::span<char>(partial_.data(), partial_.size());
  return end > 0;
}

net::Task<Result<void>> Exchange::read_head(bool to_head_request) {
  to_head_request_ = to_head_request;
  while (!head_read_) {
    if (interim_answers_ > interim_answers_max) co_return endless();
    auto head = co_await next_head();
    if (!head) co_return head.error();
    auto accepted = accept_head(*head);
    if (!accepted) co_return accepted.error();
  }
  co_return Result<void>();
}

/// The bytes of the next complete head; `surplus_` is set to what follows it.
net::Task<Result<std::string_view>> Exchange::next_head() {
  std::size_t scanned = 0;
  // What follows an interim answer lies in the shared buffer or in partial_ itself.
  std::string rest(surplus_.data(), surplus_.size());
  partial_ = std::move(rest);
  surplus_ = {};
  for (;;) {
    std::span<char> buffered(partial_.data(), partial_.size());
    if (buffered.empty() || scanned > 0) {
      // The answer is never there yet when the request has just left: wait first, then read.
      net::IoStep step;
      if (stream_.read_ready()) step = stream_.try_read(shard_.read_buffer());
      if (step.would_block()) {
        arm_read();
        co_await interruption_.bell().wait();
        if (const auto why = interruption_.reason()) co_return *why;
        continue;
      }
      if (step.ended()) {
        co_return Error(send_broken_ ? ErrorKind::send_failed : ErrorKind::worker_closed);
      }
      bytes_received_ += step.bytes;
      buffered = shard_.read_buffer().first(step.bytes);
      drained_ = step.bytes < net::Shard::read_buffer_bytes;
      if (!partial_.empty()) {
        partial_.append(buffered.data(), buffered.size());
        buffered = std::span<char>(partial_.data(), partial_.size());
      }
    }
    const std::string_view text(buffered.data(), buffered.size());
    const auto end = find_end(text, scanned);
    if (!end) co_return end.error();
    if (*end > 0) {
      surplus_ = buffered.subspan(*end);
      co_return text.substr(0, *end);
    }
    scanned = text.size();
    if (partial_.empty()) partial_.assign(text);
  }
}

protocol::HeadLimits Exchange::head_limits() const noexcept {
  return {options_.answer_head_bytes, protocol::header_count_max, 0};
}

Result<std::size_t> Exchange::find_end(std::string_view text, std::size_t scanned) {
  // What cannot become a status line any more is not waited for.
  constexpr std::string_view begin = "HTTP/1.";
  if (text.substr(0, begin.size()) != begin.substr(0, text.size())) {
    return Error(ErrorKind::bad_response, "no HTTP/1 answer");
  }
  auto end = protocol::find_head_end(text, scanned, head_limits());
  if (end) return end;
  head_over_limit_ = end.error().kind() == ErrorKind::head_too_large;
  return Error(ErrorKind::bad_response, head_over_limit_ ? "oversized head" : "malformed head");
}

Result<void> Exchange::accept_head(std::string_view head) {
  auto parsed = protocol::parse_response_head(head, head_limits(), to_head_request_, head_);
  if (!parsed) return parsed.error();
  if (head_.status < 200 && send_broken_) {
    return Error(ErrorKind::send_failed, "an interim answer instead of taking the request");
  }
  if (head_.status < 200) {
    ++interim_answers_;
    return {};
  }
  // No SDK follows a worker's redirect, and the worker's address is not the client's to know; nor
  // did we ask for a coding that the client would not be told of.
  if (head_.status >= 300 && head_.status < 400) return Error(ErrorKind::bad_response, "redirect");
  if (head_.fields.find(boost::beast::http::field::content_encoding) != nullptr) {
    return Error(ErrorKind::bad_response, "a content coding that was not asked for");
  }
  // RFC 9110 section 15.3.6: it has no content, yet its framing may tell of some.
  if (head_.status == 205) return Error(ErrorKind::bad_response, "205, which has no content");
  head_read_ = true;
  keep_alive_ = head_.keep_alive && head_.framing != protocol::BodyFraming::until_close;
  decoder_ = protocol::BodyDecoder(head_.framing, head_.content_length);
  return {};
}

Exchange::BodyStep Exchange::decode(std::span<char> received) {
  BodyStep out;
  const auto step = decoder_.decode(received);
  if (step.broken) {
    out.status = BodyStatus::broken;
    return out;
  }
  // Bytes after the answer's end were never asked for; the connection must not be used again.
  if (decoder_.done() && step.consumed < received.size()) keep_alive_ = false;
  out.status = BodyStatus::bytes;
  out.payload = std::string_view(received.data(), step.payload);
  return out;
}

Exchange::BodyStep Exchange::try_read_body() {
  if (!surplus_.empty()) return decode(std::exchange(surplus_, {}));
  BodyStep out;
  if (complete()) {
    out.status = BodyStatus::bytes;
    return out;
  }
  if (drained_) return out;
  const auto step = stream_.try_read(shard_.read_buffer());
  if (step.would_block()) return out;
  if (step.ok()) {
    bytes_received_ += step.bytes;
    drained_ = step.bytes < net::Shard::read_buffer_bytes;
    return decode(shard_.read_buffer().first(step.bytes));
  }
  if (step.status == net::IoStep::Status::closed && decoder_.may_end_by_close()) {
    decoder_ = protocol::BodyDecoder(protocol::BodyFraming::none, 0);
    keep_alive_ = false;
    ended_by_close_ = true;
    out.status = BodyStatus::bytes;
    return out;
  }
  out.status = BodyStatus::cut;
  return out;
}

void Exchange::recycle(ConnectionPool& pool, WorkerId worker) {
  const bool whole = complete() && surplus_.empty() && !send_broken_;
  if (!whole || !keep_alive_) return close();
  pool.put(worker, std::move(stream_), Clock::now());
}

}  // namespace lmb::upstream
