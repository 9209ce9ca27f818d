#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <span>

#include "lmb/net/bell.hpp"

namespace lmb::net {

/// The outcome of one non-blocking read or write.
struct IoStep {
  enum class Status { ok, would_block, closed, failed };
  Status status = Status::would_block;
  std::size_t bytes = 0;  ///< For ok.
  [[nodiscard]] bool ok() const noexcept { return status == Status::ok; }
  [[nodiscard]] bool would_block() const noexcept { return status == Status::would_block; }
  /// Neither ok nor would_block: the connection is of no use any more.
  [[nodiscard]] bool ended() const noexcept {
    return status == Status::closed || status == Status::failed;
  }
};

/// True for errors that tell of our own lack (descriptors, ports, memory), not of the peer.
bool is_our_lack(const boost::system::error_code& ec) noexcept;

/// A byte stream in readiness style: try first, arm a bell for the rest.
///
/// One type for every transport; today TCP. Reading is try_read into the shard's shared buffer, so
/// an idle or waiting stream owns no buffer. Ready flags stay set until taken. Thread safety: none;
/// belongs to one shard. Lifetime: destroying it closes the socket at once; a pending wait never
/// touches a destroyed stream or its bell.
class Stream {
 public:
  Stream() noexcept = default;
  /// Takes a connected socket; makes it non-blocking and sets TCP_NODELAY.
  explicit Stream(boost::asio::ip::tcp::socket socket);
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  /// Begins connecting on `executor`; rings `bell` when done. Then connected() or connect_error()
  /// tell.
  static Stream start_connect(const boost::asio::any_io_executor& executor,
                              const boost::asio::ip::tcp::endpoint& endpoint, Bell& bell);
  [[nodiscard]] bool connect_pending() const noexcept;
  [[nodiscard]] boost::system::error_code connect_error() const noexcept;

  [[nodiscard]] bool is_open() const noexcept;

  /// Reads what is there, at most `into`. `closed` = end of file.
  IoStep try_read(std::span<char> into) noexcept;
  /// Writes as much as the kernel takes of up to 4 buffers in one call.
  IoStep try_write(std::span<const boost::asio::const_buffer> buffers) noexcept;

  /// Asks for a ring when there is something to read (or an end). No-op while one is pending.
  void arm_read(Bell& bell);
  /// The same without anybody to ring: read_ready() tells later whether something came.
  void arm_read_silently();
  void arm_write(Bell& bell);
  /// A read wait has completed since the last arm_read.
  [[nodiscard]] bool read_ready() const noexcept;
  /// A read wait is armed and nothing has come yet.
  [[nodiscard]] bool read_pending() const noexcept;
  /// From now on `bell` is rung for waits that are pending already; nullptr = nobody.
  void set_bell(Bell* bell) noexcept;

  /// What the peer has done, without consuming anything.
  enum class Peer { quiet, sent_bytes, gone };
  [[nodiscard]] Peer peek() noexcept;

  /// The peer has ended its direction or the connection is gone, also while unread bytes hide it.
  [[nodiscard]] bool peer_ended() noexcept;
  /// The connection is gone: a peer that has only ended its direction is still there.
  [[nodiscard]] bool peer_gone() noexcept;

  /// Bytes that try_write() took and the peer's machine has not acknowledged: they wait here while
  /// it has no room. 0 where the kernel does not tell.
  [[nodiscard]] std::size_t unacknowledged() noexcept;

  /// Ends our direction; the peer sees end of file and can still be read.
  void shutdown_send() noexcept;
  /// Closes at once with a reset: the peer sees an error, not a regular end. What it has not read
  /// yet may be lost.
  void reset() noexcept;
  /// Closes at once; pending waits complete and ring.
  void close() noexcept;

  [[nodiscard]] boost::asio::ip::tcp::endpoint peer() const noexcept;

 private:
  struct State;
  explicit Stream(std::shared_ptr<State> state) noexcept;
  std::shared_ptr<State> state_;
};

}  // namespace lmb::net
