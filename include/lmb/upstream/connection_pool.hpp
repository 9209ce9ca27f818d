#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <optional>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::upstream {

/// One shard's idle keep-alive connections, by worker; the newest is used first, so the oldest die
/// of age. Thread safety: none; belongs to its shard.
class ConnectionPool {
 public:
  /// `idle_max`: age at which an idle connection is closed (timeouts.pool_idle). `size_max`: idle
  /// ones per worker (limits.pool_connections). `metrics` outlives it.
  ConnectionPool(std::size_t workers, Duration idle_max, std::size_t size_max,
                 telemetry::Metrics& metrics);

  /// The newest idle connection that the worker has neither closed nor written to, if any.
  std::optional<net::Stream> take(WorkerId worker, TimePoint now);
  /// Gives back a connection after a complete exchange; beyond size_max the oldest is closed, which
  /// is counted as a hit of that limit.
  void put(WorkerId worker, net::Stream stream, TimePoint now);
  /// The worker left: closes its idle connections, and from now on what put() gives back …
  void shut(WorkerId worker);
  /// … until a worker, perhaps another, has its place.
  void reopen(WorkerId worker);
  /// Closes what is too old.
  void tick(TimePoint now);
  /// Closes connections to addresses that the worker's name does not have any more.
  void keep_only(WorkerId worker, const std::vector<boost::asio::ip::tcp::endpoint>& addresses);
  [[nodiscard]] std::size_t idle(WorkerId worker) const noexcept;

 private:
  struct Idle {
    net::Stream stream;
    TimePoint since;
  };
  Duration idle_max_;
  std::size_t size_max_;
  telemetry::Metrics& metrics_;
  std::vector<std::vector<Idle>> idle_;  // By worker, oldest first.
  std::vector<bool> shut_;               // By worker.
};

}  // namespace lmb::upstream
