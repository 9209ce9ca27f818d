#include <array>
#include <utility>

#include "client_session.hpp"
#include "lmb/net/run_on.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;

namespace {

/// How long and how much we go on reading after our last byte: a client on a slow line that is
/// sending a long prompt should still get our refusal.
constexpr Duration linger_time = std::chrono::seconds(2);
/// 1 MiB: what a turn may read before other sessions of the shard have theirs.
constexpr std::size_t reads_per_turn = 16;
/// The same for requests that wait for nothing, such as refused ones.
constexpr std::size_t requests_per_turn = 16;
constexpr std::size_t linger_bytes = 4 * 1024 * 1024;

}  // namespace

ClientConnection::ClientConnection(Front& front, asio::ip::tcp::socket socket)
    : front_(front),
      interruption_(bell_, front.shard().deadlines(), front.shard().sessions()),
      stream_(std::move(socket)),
      peer_(net::unmapped(stream_.peer().address())),
      peer_is_proxy_(front.shared().identities.trusts(peer_)) {
  stream_.set_bell(&bell_);
}

Result<void> ClientConnection::identify(const protocol::RequestHead& head) {
  const auto credentials = credentials_of(head, peer_is_proxy_);
  const bool known = !sender_.chain.empty() && !peer_is_proxy_;
  if (known && credentials.token == sender_.token) return {};
  const auto& identities = front_.shared().identities;
  auto origin = identities.origin(credentials, peer_);
  auto identity = identities.identify(credentials, origin);
  if (!identity) {
    sender_ = {};
    return identity.error();
  }
  sender_.token = credentials.token;
  sender_.identity = std::move(*identity);
  sender_.chain = std::move(origin.chain);
  return {};
}

std::span<char> ClientConnection::unread() noexcept {
  if (!fresh_.empty()) return fresh_;
  return std::span<char>(carry_).subspan(carry_used_);
}

void ClientConnection::consume(std::size_t bytes) noexcept {
  consumed_ += bytes;
  if (!fresh_.empty()) {
    fresh_ = fresh_.subspan(bytes);
    return;
  }
  // Only counted: views of a head may point here until keep_unread().
  carry_used_ += bytes;
}

void ClientConnection::keep_unread() {
  if (carry_used_ == carry_.size()) {
    std::string().swap(carry_);
  } else {
    carry_.erase(0, carry_used_);
  }
  carry_used_ = 0;
  if (fresh_.empty()) return;
  carry_.append(fresh_.data(), fresh_.size());
  fresh_ = {};
}

net::Task<ClientConnection::Fill> ClientConnection::fill() {
  keep_unread();
  // A wait that is armed already (the watch of the request before) saves asking the kernel; and
  // who sends faster than we read must not hold the shard.
  net::IoStep step;
  const bool may_read = !stream_.read_pending() && reads_in_turn_ < reads_per_turn;
  if (may_read) step = stream_.try_read(front_.shard().read_buffer());
  if (step.ended()) co_return Fill::ended;
  if (step.would_block()) {
    stream_.arm_read(bell_);
    co_await bell_.wait();
    reads_in_turn_ = 0;
    co_return Fill::waited;
  }
  ++reads_in_turn_;
  fresh_ = front_.shard().read_buffer().first(step.bytes);
  // What came before waits in carry_: the two must become one run of bytes again.
  if (!carry_.empty()) keep_unread();
  co_return Fill::bytes;
}

net::Task<Result<bool>> ClientConnection::read_head(protocol::RequestHead& head, TimePoint& begun) {
  const auto& timeouts = front_.shared().options.timeouts;
  const auto& limits = front_.shared().options.limits.head;
  auto& limit = interruption_.step();
  limit.set(Clock::now() + (first_request_ ? timeouts.client_head : timeouts.keep_alive));
  first_request_ = false;
  std::size_t scanned = 0;
  bool any = false;
  for (;;) {
    if (!any) {
      const auto ahead = unread();
      consume(2 * protocol::leading_empty_lines({ahead.data(), ahead.size()}));
    }
    const auto bytes = unread();
    const std::string_view text(bytes.data(), bytes.size());
    // A lone CR may be half of an empty line that is ignored (RFC 9112 section 2.2).
    if (!any && !text.empty() && text != "\r") {
      any = true;
      begun = Clock::now();
      limit.set(begun + timeouts.client_head);
    }
    if (any && text.size() > scanned) {
      // A head may be refused before its method is known to be one.
      asks_head_ = text.starts_with("HEAD ");
      const auto end = protocol::find_head_end(text, scanned, limits);
      if (!end) co_return end.error();
      if (*end > 0) {
        limit.clear();
        auto parsed = protocol::parse_request_head(text.substr(0, *end), limits, head);
        consume(*end);
        if (!parsed) co_return parsed.error();
        co_return true;
      }
      scanned = text.size();
    }
    // Asked before each wait: the ring that told of the drain may have been spent on an earlier
    // one.
    const bool draining = interruption_.stop_level() != net::StopLevel::none;
    if (draining && !any) co_return false;
    const auto filled = co_await fill();
    if (filled == Fill::ended && !any) co_return false;
    if (filled == Fill::ended) co_return Error(ErrorKind::client_gone);
    if (filled == Fill::bytes) continue;
    if (interruption_.stop_level() == net::StopLevel::now)
      co_return Error(ErrorKind::shutting_down);
    // Browsers open connections in advance: silence is no fault.
    if (limit.passed() && !any) co_return false;
    if (limit.passed()) co_return Error(ErrorKind::head_timeout);
  }
}

bool ClientConnection::had_its_turn() noexcept {
  return !unread().empty() && ++requests_in_turn_ >= requests_per_turn;
}

net::Task<void> ClientConnection::let_others_go() {
  requests_in_turn_ = 0;
  keep_unread();
  const auto shard = front_.shard().context().get_executor();
  auto turn = net::run_on(shard, shard, [] { return true; });
  co_await std::move(turn);
}

std::optional<Error> ClientConnection::take_payload(protocol::BodyDecoder& decoder,
                                                    RequestContext& ctx) {
  const auto& limits = front_.shared().options.limits;
  const auto bytes = unread();
  if (bytes.empty()) return std::nullopt;
  const auto step = decoder.decode(bytes);
  if (step.broken) return Error(ErrorKind::bad_chunk);
  const auto have = ctx.body.size() + step.payload;
  // What a chunk announces is refused before it has come.
  if (have > limits.body_bytes || decoder.chunk_left() > limits.body_bytes - have) {
    return Error(ErrorKind::body_too_large);
  }
  const std::string_view payload(bytes.data(), step.payload);
  const bool known = decoder.done() || decoder.announced() > 0;
  const auto whole = ctx.body.size() + payload.size() + decoder.announced();
  if (!ctx.body.append(payload, known ? whole : 0)) return Error(ErrorKind::body_memory_full);
  consume(step.consumed);
  return std::nullopt;
}

net::Task<Result<void>> ClientConnection::read_body(protocol::BodyDecoder decoder,
                                                    RequestContext& ctx) {
  const auto progress = front_.shared().options.timeouts.client_body;
  auto& limit = interruption_.step();
  for (;;) {
    if (auto error = take_payload(decoder, ctx)) co_return std::move(*error);
    if (decoder.done()) break;
    limit.set(Clock::now() + progress);
    const auto filled = co_await fill();
    if (filled == Fill::ended) co_return Error(ErrorKind::client_gone);
    if (filled == Fill::bytes) continue;
    if (interruption_.stop_level() == net::StopLevel::now)
      co_return Error(ErrorKind::shutting_down);
    if (limit.passed()) co_return Error(ErrorKind::body_timeout);
    if (interruption_.deadline().passed()) co_return Error(ErrorKind::request_timeout);
  }
  limit.clear();
  co_return Result<void>();
}

void ClientConnection::send_continue() {
  if (!unread().empty()) return;
  constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::array<asio::const_buffer, 1> buffers{asio::buffer(interim.data(), interim.size())};
  // A client that takes not even 25 bytes will not get its answer either: the result shows later.
  static_cast<void>(stream_.try_write(buffers));
}

net::Task<void> ClientConnection::linger() {
  fresh_ = {};
  stream_.shutdown_send();
  auto& limit = interruption_.step();
  limit.set(Clock::now() + linger_time);
  std::size_t dropped = 0;
  while (dropped < linger_bytes && !limit.passed()) {
    if (interruption_.stop_level() == net::StopLevel::now) break;
    const auto step = stream_.try_read(front_.shard().read_buffer());
    if (step.ended()) break;
    dropped += step.bytes;
    if (step.ok()) continue;
    stream_.arm_read(bell_);
    co_await bell_.wait();
  }
  stream_.close();
}

}  // namespace lmb::proxy
