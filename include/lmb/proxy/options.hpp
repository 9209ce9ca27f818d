#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/net/network.hpp"
#include "lmb/net/options.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/protocol/sse_scanner.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::proxy {

struct Limits {
  protocol::HeadLimits head;  ///< limits.head_bytes, limits.header_count, limits.target_bytes
  std::size_t body_bytes = 64 * 1024 * 1024;       ///< limits.body_bytes, also after inflating.
  std::size_t body_memory = std::size_t{1} << 30;  ///< limits.body_memory: all bodies together.
  std::size_t inspections = 64;  ///< limits.inspections: bodies that wait for the helper thread.
  std::size_t stream_buffer = 1024 * 1024;              ///< limits.stream_buffer: per slow reader.
  std::size_t stream_buffer_total = 256 * 1024 * 1024;  ///< limits.stream_buffer_total
  std::size_t event_bytes =
      protocol::SseScanner::default_event_bytes;  ///< limits.event_bytes: judged up to this size.
  std::size_t held_answer =
      256 * 1024;  ///< limits.held_answer: JSON answers judged whole up to this size.
};

struct Timeouts {
  Duration client_head =
      std::chrono::seconds(10);  ///< timeouts.client_head: first to last head byte.
  Duration client_body = std::chrono::seconds(30);  ///< timeouts.client_body: without progress.
  Duration keep_alive = std::chrono::seconds(75);   ///< timeouts.keep_alive: idle between requests.
  Duration client_write =
      std::chrono::seconds(60);                 ///< timeouts.client_write: client takes no byte.
  Duration request = std::chrono::minutes(30);  ///< timeouts.request: the whole request.
};

struct QueueWaits {
  Duration stream = std::chrono::minutes(10);  ///< queue.max_wait_stream
  Duration other = std::chrono::seconds(240);  ///< queue.max_wait: undici gives up at 300 s.
};

/// A key that clients may show.
struct ClientKey {
  std::string name;  ///< In logs.
  std::string secret;
  std::string variable;  ///< The environment variable that the secret comes from; may be empty.
  bool operator==(const ClientKey&) const = default;
};

struct AuthOptions {
  std::vector<ClientKey> keys;                ///< auth.keys; none = nobody is asked for one.
  std::vector<net::Network> trusted_proxies;  ///< auth.trusted_proxies
};

struct ProxyOptions {
  Limits limits;
  AuthOptions auth;
  Timeouts timeouts;
  QueueWaits queue;
  net::HalfClose client_half_close = net::HalfClose::abort;  ///< client_half_close
  scheduling::ResponseHomesOptions responses;
};

}  // namespace lmb::proxy
