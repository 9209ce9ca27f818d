#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "lmb/net/interruption.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/net/task.hpp"
#include "lmb/protocol/body_decoder.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/proxy/client_identity.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Serves one client connection: request after request, answered in order, until either side ends
/// it.
net::Task<void> serve_client(Front& front, boost::asio::ip::tcp::socket socket,
                             ConnectionCounts::Place place);

/// Answers 503 without reading a request (RFC 9110 section 15.6.4), and lingers so that the answer
/// arrives, unless many others do so already.
net::Task<void> refuse_client(Front& front, boost::asio::ip::tcp::socket socket);

/// The client's connection, and the bytes of it that are read but not used yet.
///
/// Bytes stay in the shard's read buffer as long as nothing suspends; only what must survive a wait
/// (half a head, a pipelined request) moves into `carry_`. So an idle connection owns no buffer.
/// Thread safety: none; one coroutine on one shard.
class ClientConnection {
 public:
  ClientConnection(Front& front, boost::asio::ip::tcp::socket socket);

  /// Reads the next request's head. False inside means: no request came (end of file,
  /// idle time-out, drain), close without a word. The head's views live until the next suspension.
  /// `begun` is set to the time of the first byte. Errors: those of protocol::find_head_end and
  /// parse_request_head, head_timeout, client_gone.
  net::Task<Result<bool>> read_head(protocol::RequestHead& head, TimePoint& begun);
  /// The part of read_body() that needs no wait: takes what is there. Errors as read_body().
  [[nodiscard]] std::optional<Error> take_payload(protocol::BodyDecoder& decoder,
                                                  RequestContext& ctx);
  /// Reads the rest of the body into ctx.body, decoded. Errors: body_too_large, bad_chunk,
  /// body_timeout, body_memory_full, client_gone.
  net::Task<Result<void>> read_body(protocol::BodyDecoder decoder, RequestContext& ctx);
  /// Moves unread bytes to safety; call before anything suspends while a head's views are not
  /// needed any more.
  void keep_unread();

  /// To be asked after each request: more of them are here, and so many were served in a row that
  /// the shard's other sessions should have their turn.
  [[nodiscard]] bool had_its_turn() noexcept;
  /// Waits until these had it.
  net::Task<void> let_others_go();

  /// Tells the client to send its body (RFC 9110 section 10.1.1), unless it did already.
  void send_continue();
  /// Ends our direction, then reads and drops what the client still sends for a moment: closing
  /// with unread bytes would reset the connection and could destroy the answer on its way.
  net::Task<void> linger();

  [[nodiscard]] net::Stream& stream() noexcept { return stream_; }
  [[nodiscard]] net::Interruption& interruption() noexcept { return interruption_; }
  /// Finds out who sends the request. Errors: unauthorized.
  Result<void> identify(const protocol::RequestHead& head);
  /// As identify() found last.
  [[nodiscard]] const ClientIdentity& identity() const noexcept { return sender_.identity; }
  /// For X-Forwarded-For: where the request comes from, as identify() found last.
  [[nodiscard]] const std::string& forwarded_for() const noexcept { return sender_.chain; }
  /// The head that was read or refused last begins as a HEAD request, whose answer has no body (RFC
  /// 9110 section 9.3.2).
  [[nodiscard]] bool asks_head() const noexcept { return asks_head_; }
  /// Bytes of the client used since the last call: heads, bodies and their framing.
  [[nodiscard]] std::uint64_t take_consumed() noexcept { return std::exchange(consumed_, 0); }

 private:
  [[nodiscard]] std::span<char> unread() noexcept;
  void consume(std::size_t bytes) noexcept;
  enum class Fill { bytes, waited, ended };
  /// One try to read more; waits when nothing is there. After `waited` ask the deadlines.
  net::Task<Fill> fill();

  Front& front_;
  net::Bell bell_;
  net::Interruption interruption_;
  net::Stream stream_;
  const boost::asio::ip::address peer_;
  const bool peer_is_proxy_;  ///< Its X-Forwarded-For is believed.
  /// Most clients show the same on a connection with each request: kept, as hashing costs a
  /// microsecond or two.
  struct Sender {
    std::string token;
    ClientIdentity identity;
    std::string chain;  ///< Empty = nobody was identified yet.
  } sender_;
  std::string carry_;
  std::size_t carry_used_ = 0;
  std::uint64_t consumed_ = 0;
  std::span<char> fresh_;
  std::size_t reads_in_turn_ = 0;
  std::size_t requests_in_turn_ = 0;
  bool first_request_ = true;
  bool asks_head_ = false;
};

}  // namespace lmb::proxy
