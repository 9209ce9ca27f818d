#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lmb::peers {

/// What `lmb_stream_load idle` does.
struct IdleLoadOptions {
  std::vector<std::uint16_t> ports;  ///< Of 127.0.0.1, used in turn.
  std::size_t connections = 1000;
  std::uint64_t limit_s = 60;  ///< How long the connections are held at most.
};

/// Opens connections one after another, makes one plain request on each, prints `open`, holds them
/// until standard input ends, and prints `result` with the number that is still open. True if all
/// requests succeeded and all connections lasted.
[[nodiscard]] bool run_idle_load(const IdleLoadOptions& options);

}  // namespace lmb::peers
