#pragma once

#include <cstdint>

namespace lmb::app {

/// What `lmbalancer demo` was asked for.
struct DemoOptions {
  std::uint16_t port =
      8080;  ///< Of the balancer; 0 = any free one. The simulated workers choose theirs.
  std::uint32_t workers = 3;  ///< 1..64
  double speed = 1;           ///< Simulated seconds per real second.
  bool once = false;          ///< End after the sample request.
  bool sample = true;         ///< Send one streamed chat request and show its answer.
};

/// `lmbalancer demo`: a simulated fleet of Mac Studios and the balancer in one process. Prints
/// "listening on http://127.0.0.1:PORT", shows one streamed request and where its time went, says
/// how to go on, then serves until SIGINT or SIGTERM. Returns the exit code.
int demo(const DemoOptions& options);

}  // namespace lmb::app
