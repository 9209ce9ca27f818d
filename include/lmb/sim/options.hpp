#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/sim/presets.hpp"

namespace lmb::sim {

/// One model of a simulated worker.
struct ModelOptions {
  Preset preset;
  std::uint32_t parallel = 0;  ///< Slots; 0 = the preset's.
  bool loaded =
      true;  ///< Else only on disk: listed, but requests get LM Studio's "Failed to load model".
};

/// One simulated LM Studio.
struct WorkerOptions {
  std::string host = "127.0.0.1";  ///< An address, not a name.
  std::uint16_t port = 0;          ///< 0 = the kernel chooses.
  std::vector<ModelOptions>
      models;  ///< Empty = the default preset. The embedding model comes on top.
  double speed =
      1;  ///< > 0: simulated seconds per real second, for the physics only, not for network times.
  /// Of the generated text: the same prompt gets the same answer from every worker of the same
  /// seed.
  std::uint64_t seed = 1;
  std::uint64_t engine_seed = 1;  ///< Of the physics' jitter.
  std::string api_token;          ///< Empty = no token asked for.
  /// Average length of an answer that ends by itself; each is between half and one and a half of
  /// it.
  std::uint32_t answer_tokens = 180;
  Duration idle_timeout = std::chrono::seconds(5);  ///< Keep-Alive: timeout; real time.
  std::size_t body_bytes_max = 128 * 1024 * 1024;
  bool error_event_line = false;  ///< In-stream errors are preceded by an `event: error` line.
  std::size_t seen_max = 65536;   ///< Requests remembered by Worker::seen; the oldest go first.
};

struct FleetOptions {
  std::vector<WorkerOptions> workers;

  /// `count` workers like `worker`, on consecutive ports from worker.port on (0: the kernel chooses
  /// all), with engine seeds of their own.
  static FleetOptions alike(std::size_t count, const WorkerOptions& worker);
};

/// What `lmbalancer sim` was asked for.
struct CommandOptions {
  std::size_t workers = 3;
  std::string host = "127.0.0.1";
  std::uint16_t port = 1234;
  std::string preset{default_preset};
  std::uint32_t parallel = 0;  ///< 0 = the preset's.
  double speed = 1;
  std::uint64_t seed = 1;
  std::uint32_t answer_tokens = 180;
  std::string api_token;
};

}  // namespace lmb::sim
