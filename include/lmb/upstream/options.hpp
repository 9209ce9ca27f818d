#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "lmb/base/clock.hpp"

namespace lmb::upstream {

/// Where a worker is, and how we show ourselves to it.
struct WorkerAddress {
  std::string name;  ///< The worker's name, as in scheduling::WorkerSpec.
  std::string host;  ///< DNS name, IPv4 literal, or IPv6 literal without brackets.
  std::uint16_t port = 1234;
  /// workers[].api_key or api_key_env: sent to this worker only, never logged; empty = none, and
  /// then the client's own Authorization is not passed on either.
  std::string api_key;
  bool operator==(const WorkerAddress&) const = default;
};

struct UpstreamOptions {
  Duration connect_timeout = std::chrono::seconds(2);  ///< timeouts.connect
  Duration send_timeout = std::chrono::seconds(30);    ///< timeouts.send: without progress.
  /// timeouts.pool_idle: LM Studio (Node) closes idle connections after 5 s, so we do earlier.
  Duration pool_idle = std::chrono::seconds(4);
  std::size_t pool_connections_max =
      256;  ///< limits.pool_connections: idle ones per worker and shard.
  /// limits.answer_head_bytes: an answer's status line and fields. Node's own limit for heads is 16
  /// KiB.
  std::size_t answer_head_bytes = 64 * 1024;
  Duration probe_interval = std::chrono::seconds(5);  ///< health.interval
  Duration probe_timeout = std::chrono::seconds(2);   ///< health.timeout
  Duration resolve_interval =
      std::chrono::seconds(60);  ///< health.resolve_interval: names looked up again.
};

}  // namespace lmb::upstream
