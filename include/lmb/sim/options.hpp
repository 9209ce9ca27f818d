#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/sim/presets.hpp"
#include "lmb/sim/version.hpp"

namespace lmb::sim {

/// What becomes of a model's loads.
enum class LoadFault : std::uint8_t {
  none,
  refused,  ///< "Model loading was stopped due to insufficient system resources", at once.
  fails,    ///< After the load time: "Error loading model".
  hangs,    ///< Half-way, for ever.
};

/// One model of a simulated worker.
struct ModelOptions {
  Preset preset;
  std::uint32_t parallel = 0;  ///< Slots; 0 = the preset's.
  /// From the start, as if by hand: no TTL, never evicted. Else only on disk.
  bool loaded = true;
  /// In the machine's time. Unset: 1.5 s, and a second for each 3 GB.
  std::optional<Duration> load_time = std::nullopt;
  LoadFault load_fault = LoadFault::none;
};

/// A machine that gets slower as it gets hot: time per token and prompt grows from 1 to `slowest`
/// times, evenly over `heats_in` of work, and goes back over `cools_in` of rest. Each instance
/// heats for itself.
struct ThermalPhysics {
  double slowest = 1;  ///< >= 1; 1 = never gets hot.
  Duration heats_in = std::chrono::minutes(5);
  Duration cools_in = std::chrono::minutes(5);
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
  /// Which routes exist, and how some answers look.
  StudioVersion version;
  std::string api_token;  ///< Empty = no token asked for.

  // LM Studio's settings on models; TTL and loads run in the machine's time (`speed`).

  /// "Just in Time Model Loading". Off: lists hold loaded models only, others are refused.
  bool jit = true;
  /// "Auto Unload Unused JIT Models": of instances that a request loaded and gave no `ttl`.
  Duration ttl = std::chrono::minutes(60);
  /// "Only Keep Last JIT Loaded Model": also kills what the others are generating.
  bool auto_evict = true;
  /// A request for a model that is still being loaded loads one more instance (LM Studio's issue
  /// 1751); else it waits for the first.
  bool duplicate_loads = true;
  /// A just-in-time load ends when the client that caused it leaves (not known of LM Studio).
  bool cancel_load_on_disconnect = false;
  std::uint64_t memory_bytes = 0;  ///< Memory guard over the sizes of all instances; 0 = none.

  /// Average length of an answer that ends by itself; each is between half and one and a half of
  /// it.
  std::uint32_t answer_tokens = 180;
  Duration idle_timeout = std::chrono::seconds(5);  ///< Keep-Alive: timeout; real time.
  std::size_t body_bytes_max = 128 * 1024 * 1024;
  /// So many tokens of each answer come before the rest as reasoning.
  std::uint32_t reasoning_tokens = 0;
  bool error_event_line = false;  ///< In-stream errors are preceded by an `event: error` line.
  bool done_after_error = false;  ///< In-stream errors of OpenAI's routes are followed by `[DONE]`.

  // How its engines misbehave.

  /// One request at a time, in spite of the `parallel` that the lists tell.
  bool serialise = false;
  /// A generation goes on to its end after its client left.
  bool zombie = false;
  ThermalPhysics thermal;

  std::size_t responses_max = 10000;  ///< Kept for previous_response_id; the oldest go first.
  std::size_t seen_max = 65536;       ///< Requests remembered by Worker::seen; the oldest go first.
};

struct FleetOptions {
  std::vector<WorkerOptions> workers;

  /// `count` workers like `worker`, on consecutive ports from worker.port on (0: the kernel chooses
  /// all), with engine seeds of their own.
  static FleetOptions alike(std::size_t count, const WorkerOptions& worker);
};

/// What `lmbalancer sim` was asked for; every worker is alike.
struct CommandOptions {
  std::size_t workers = 3;
  std::string host = "127.0.0.1";
  std::uint16_t port = 1234;
  std::string preset{default_preset};
  std::vector<std::string> on_disk;  ///< Presets of more models, none of them loaded.
  bool cold = false;                 ///< Nor is that of `preset`.
  std::uint32_t parallel = 0;        ///< 0 = the preset's.
  double speed = 1;
  std::uint64_t seed = 1;
  std::uint32_t answer_tokens = 180;
  std::uint32_t reasoning_tokens = 0;
  std::string api_token;
  std::string version = "0.4.26";
  bool no_jit = false;
  bool no_auto_evict = false;
  bool no_duplicate_loads = false;
  double ttl_seconds = 3600;           ///< Of the machine's time, as all here.
  std::optional<double> load_seconds;  ///< Unset: by the model's size.
  double memory_gb = 0;                ///< 0 = no guard.
  bool serialise = false;
  bool zombie = false;
  double slowest = 1;       ///< Times, when hot.
  double heat_minutes = 5;  ///< Until it is, and until it is cold again.
};

}  // namespace lmb::sim
