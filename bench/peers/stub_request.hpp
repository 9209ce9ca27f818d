#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lmb::peers {

/// What a stream request asks for.
struct StreamPlan {
  std::uint64_t events = 0;
  std::uint64_t interval_ns = 0;  ///< Between events; 0 = a burst, as fast as the reader takes it.
};

/// The few facts of a request head that the stub worker acts on.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::size_t head_bytes = 0;        ///< With the blank line.
  std::size_t body_bytes = 0;        ///< Content-Length.
  std::optional<StreamPlan> stream;  ///< From `X-Stream: events,interval_us`.
  bool close = false;                ///< `Connection: close`, or HTTP/1.0.
};

enum class HeadState : std::uint8_t { incomplete, complete, malformed };

/// Parses the request head at the start of `bytes`. The views point into `bytes`. Chunked bodies
/// count as malformed: proxies that hold a body whole send a length, and the others pass one on.
[[nodiscard]] HeadState parse_head(std::string_view bytes, RequestHead& head);

}  // namespace lmb::peers
