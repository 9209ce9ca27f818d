#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/net/shard.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/net/task.hpp"
#include "lmb/protocol/body_decoder.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/upstream/connection_pool.hpp"
#include "lmb/upstream/options.hpp"

namespace lmb::upstream {

/// A request's bytes in the pieces in which they lie in memory: head, body, or the body around a
/// value that is replaced. Empty pieces are allowed.
class Outgoing {
 public:
  static constexpr std::size_t pieces_max = 4;
  Outgoing(std::string_view head, std::string_view body) noexcept : pieces_{head, body} {}
  Outgoing(std::string_view head, std::string_view before, std::string_view replacement,
           std::string_view after) noexcept
      : pieces_{head, before, replacement, after} {}

  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::array<boost::asio::const_buffer, pieces_max> buffers() const noexcept;
  /// Takes so many bytes from the front.
  void consume(std::size_t bytes) noexcept;

 private:
  std::array<std::string_view, pieces_max> pieces_;
};

/// One attempt at a worker: a connection, one request sent on it, one answer read from it.
///
/// Calls in this order: open, send, read_head, then try_read_body until complete(), then recycle.
/// Every suspending call ends early with the Interruption's reason. Destroying it before recycle()
/// closes the connection at once, which is how LM Studio learns that nobody waits for its answer.
/// Thread safety: none; lives on one shard, in one coroutine.
class Exchange {
 public:
  /// `head`: where the answer's head is parsed into; may be shared by all exchanges of the shard.
  Exchange(net::Shard& shard, net::Interruption& interruption, const UpstreamOptions& options,
           protocol::ResponseHead& head);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Takes the newest pooled connection; false when there is none.
  bool open_pooled(ConnectionPool& pool, WorkerId worker);
  /// Connects to the first of the endpoints that answers (net::connect). Errors: connect_failed,
  /// connect_timeout (timeouts.connect, for each address).
  net::Task<Result<void>> connect(std::vector<boost::asio::ip::tcp::endpoint> endpoints);

  /// Sends the pieces, whose bytes must stay alive until it completes. Interim (1xx) answers that
  /// come meanwhile are skipped. Errors: send_timeout, bad_response. A worker that answers finally
  /// before it took everything is no failure here: read_head() tells.
  net::Task<Result<void>> send(Outgoing pieces);
  /// The part of send() that needs no wait; takes what left from the pieces. True: nothing is left
  /// (or the worker closed).
  bool try_send(Outgoing& pieces);

  /// Reads to the end of the answer's head; 1xx answers are skipped. The head's views, and the body
  /// bytes that came with it, are valid until the coroutine suspends next: call try_read_body()
  /// before that. Errors: worker_closed, bad_response.
  net::Task<Result<void>> read_head(bool to_head_request);
  /// Valid until the coroutine suspends next, like the bytes it points to.
  [[nodiscard]] const protocol::ResponseHead& head() const noexcept { return head_; }

  enum class BodyStatus { bytes, would_block, cut, broken };
  struct BodyStep {
    BodyStatus status = BodyStatus::would_block;
    std::string_view payload;  ///< For bytes; valid until the next suspension.
  };
  /// One read's worth of decoded body, without suspending. `bytes` with an empty payload means only
  /// framing came, or the end: ask complete().
  BodyStep try_read_body();
  void arm_read() {
    drained_ = false;
    stream_.arm_read(interruption_.bell());
  }
  /// The next try_read_body() looks for more though nothing has told that some came. A wait that is
  /// armed for what is read then would ring later, in the pool: there it means a dead connection.
  void look_for_more() noexcept { drained_ = false; }
  /// The answer's end was told by nothing but the connection's.
  [[nodiscard]] bool ended_by_close() const noexcept { return ended_by_close_; }
  [[nodiscard]] bool complete() const noexcept { return head_read_ && decoder_.done(); }

  /// Puts a connection whose answer is complete back into the pool, if both sides keep it alive;
  /// closes any other.
  void recycle(ConnectionPool& pool, WorkerId worker);
  void close() { stream_.close(); }

  [[nodiscard]] bool reused() const noexcept { return reused_; }
  /// At least one byte of an answer arrived.
  [[nodiscard]] bool answer_begun() const noexcept { return bytes_received_ > 0; }
  /// The answer's head was larger than limits.answer_head_bytes.
  [[nodiscard]] bool head_over_limit() const noexcept { return head_over_limit_; }
  [[nodiscard]] std::uint64_t bytes_received() const noexcept { return bytes_received_; }
  [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }

 private:
  Result<bool> answered_early();
  net::Task<Result<void>> send_all(Outgoing pieces);
  net::Task<Result<std::string_view>> next_head();
  [[nodiscard]] protocol::HeadLimits head_limits() const noexcept;
  /// As protocol::find_head_end, with errors as of a worker.
  Result<std::size_t> find_end(std::string_view text, std::size_t scanned);
  Result<void> accept_head(std::string_view head);
  BodyStep decode(std::span<char> received);

  net::Shard& shard_;
  net::Interruption& interruption_;
  const UpstreamOptions& options_;
  net::Stream stream_;
  bool reused_ = false;
  bool head_read_ = false;
  bool send_broken_ = false;
  bool head_over_limit_ = false;
  bool ended_by_close_ = false;
  bool drained_ = false;  ///< The last read took all there was: wait before the next.
  bool to_head_request_ = false;
  bool keep_alive_ = false;  ///< The worker's side of it, as its head said.
  int interim_answers_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::string partial_;  ///< A head that did not arrive in one read, and what followed it.
  std::span<char>
      surplus_;  ///< Body bytes that came with the head; in the read buffer or in partial_.
  protocol::ResponseHead& head_;
  protocol::BodyDecoder decoder_;
};

}  // namespace lmb::upstream
