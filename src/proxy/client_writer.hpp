#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lmb/net/stream.hpp"
#include "lmb/proxy/front.hpp"

namespace lmb::proxy {

/// Writes to a client without ever suspending: what the kernel does not take at once waits in a
/// buffer that exists only while the client is slower than its worker. Thread safety: none.
/// Lifetime: shorter than the stream and the budget.
class ClientWriter {
 public:
  using Buffers = std::array<boost::asio::const_buffer, 3>;

  /// `limit`: bytes that may wait (limits.stream_buffer); `budget`: what all streams together may
  /// hold.
  ClientWriter(net::Stream& client, MemoryBudget& budget, std::size_t limit)
      : client_(client), budget_(budget), limit_(limit) {}
  ClientWriter(const ClientWriter&) = delete;
  ClientWriter& operator=(const ClientWriter&) = delete;
  ~ClientWriter();

  /// Writes or keeps all of `buffers`. False: the client is gone.
  [[nodiscard]] bool write(const Buffers& buffers);
  /// Tries to write what waits. False: the client is gone.
  [[nodiscard]] bool flush();
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size() - written_; }
  /// More may be read from the worker for this client.
  [[nodiscard]] bool has_room() const noexcept { return full_limit().empty(); }
  /// The config key of the limit that leaves no room; empty = there is room.
  [[nodiscard]] std::string_view full_limit() const noexcept;
  /// Bytes that the kernel has taken, ever.
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_written_; }
  /// Bytes that the client's machine has taken, ever: tells progress. The kernel's own buffer may
  /// hold megabytes, and asks for more only when a third of it is free.
  [[nodiscard]] std::uint64_t bytes_taken() const noexcept {
    return bytes_written_ - std::min<std::uint64_t>(bytes_written_, client_.unacknowledged());
  }

 private:
  void keep(const char* data, std::size_t size);
  void compact();
  void forget_written();

  net::Stream& client_;
  MemoryBudget& budget_;
  const std::size_t limit_;
  std::string pending_;
  std::size_t written_ = 0;  ///< Of pending_.
  std::size_t charged_ = 0;
  bool budget_used_up_ = false;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace lmb::proxy
