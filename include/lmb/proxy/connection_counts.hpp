#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace lmb::proxy {

/// How many client connections are open, in all and of each client's address. Of IPv6 the first 64
/// bits count: a host has as many addresses as it likes behind them (RFC 7421 section 1).
/// Thread safety: all members, from any thread. Lifetime: outlives its places.
class ConnectionCounts {
 public:
  /// limits.connections and limits.connections_per_client.
  ConnectionCounts(std::size_t total_max, std::size_t per_client_max) noexcept
      : total_max_(total_max), per_client_max_(per_client_max) {}

  enum class Verdict : std::uint8_t { admitted, total_full, client_full };
  using Key = std::array<unsigned char, 9>;

  /// One open connection; gives its place back when it is destroyed.
  class Place {
   public:
    Place(ConnectionCounts& counts, const Key& key) noexcept : counts_(&counts), key_(key) {}
    Place(Place&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), key_(other.key_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (counts_ != nullptr) counts_->leave(key_);
    }

   private:
    ConnectionCounts* counts_;
    Key key_;
  };

  /// Counts a connection that is admitted; its Place must be made of `key` then. Key{}: of a proxy
  /// that speaks for many clients, so that only the total counts.
  [[nodiscard]] Verdict enter(const Key& key);
  /// What a client is counted by; IPv4 in IPv6 is IPv4.
  [[nodiscard]] static Key key_of(const boost::asio::ip::address& client) noexcept;
  [[nodiscard]] std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

 private:
  void leave(const Key& key) noexcept;

  const std::size_t total_max_;
  const std::size_t per_client_max_;
  std::atomic<std::size_t> open_{0};  ///< Changed under mutex_.
  std::mutex mutex_;
  std::map<Key, std::size_t> by_client_;  // guarded by mutex_
};

}  // namespace lmb::proxy
