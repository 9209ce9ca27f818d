#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/sim/error_answer.hpp"
#include "lmb/sim/fault.hpp"
#include "lmb/sim/options.hpp"

namespace lmb::http {
class Server;
}

namespace lmb::sim {

/// started = finished + cancelled + killed + running + waiting + answers whose last tokens are on
/// their way.
struct WorkerCounters {
  std::uint32_t running = 0;  ///< Slots in use now, over all models; settling prompts included.
  std::uint32_t waiting = 0;  ///< In the worker's own queue now.
  std::uint32_t running_max = 0;
  std::uint32_t waiting_max = 0;
  std::uint64_t requests = 0;  ///< All HTTP requests, lists and errors included.
  std::uint64_t started = 0;   ///< Generations and embeddings taken.
  std::uint64_t prompts = 0;   ///< Begun to be read: one that was left before never is.
  std::uint64_t finished = 0;
  std::uint64_t cancelled = 0;  ///< Counted when the slot is free again.
  std::uint64_t killed = 0;     ///< Ended by an unload, a crash or a full context pool.
  std::uint64_t zombies = 0;    ///< Generations that went on after their client had left.
  std::uint64_t loads = 0;      ///< Begun, by requests and load calls.
  std::uint64_t unloads = 0;    ///< Instances that are gone again, for whatever reason.
  std::uint64_t faults = 0;     ///< Requests that a fault was played on.
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;  ///< Of the prompt tokens, found in a prefix cache.
  std::uint64_t generated_tokens = 0;
  std::uint64_t connections_accepted = 0;
  std::size_t connections = 0;  ///< Open now.
};

/// What a request had to show in Authorization. The value itself is never kept.
enum class Credential : std::uint8_t {
  none,
  own,    ///< This worker's api_token.
  other,  ///< Anything else, or any at all when this worker asks for none.
};

/// One request as the worker saw it.
struct SeenRequest {
  std::string method;
  std::string path;
  std::string request_id;  ///< X-Request-Id, empty if there was none.
  std::string model;       ///< As asked for; of generations and embeddings only.
  std::string host;
  Credential credential = Credential::none;
};

/// An instance as /api/v1/models would tell it, and those still loading.
struct SeenInstance {
  std::string id;  ///< e.g. "qwen/qwen3-30b-a3b:2"
  std::string model;
  bool loaded = false;  ///< Else being loaded.
};

class Studio;

/// The HTTP face of one simulated LM Studio.
///
/// Thread: every call on the executor's thread (or before it runs), except `seen` and `instances`,
/// which any thread may call. May be destroyed there at any time; requests in flight then end by
/// themselves as the executor runs.
class Worker {
 public:
  Worker(boost::asio::any_io_executor executor, const WorkerOptions& options);
  /// Stops.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Starts to listen. Errors: internal, with the system's error as cause.
  Result<void> start();
  /// Closes the listener and all connections; every generation is cancelled.
  void stop();
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return endpoint_.port(); }

  /// Plays `fault` on the next `count` requests in `scope`; 0 = until told otherwise. Fault::none
  /// lifts it. refuse acts at once and lasts until it is replaced.
  void set_fault(Fault fault, FaultScope scope = FaultScope::generation, std::uint32_t count = 0);
  /// Answers the next `count` requests in `scope` with this error; as set_fault, which it replaces.
  void set_error(ErrorAnswer error, FaultScope scope = FaultScope::generation,
                 std::uint32_t count = 0);
  /// Both: with Fault::error_in_stream or error_mid_stream, `error` gives the event its words.
  void set_misbehaviour(Fault fault, ErrorAnswer error, FaultScope scope, std::uint32_t count);
  /// Of this model's loads from now on. `model`: key or variant; false if there is none.
  bool set_load_fault(std::string_view model, LoadFault fault);

  // Those with a `model` act on its instances, or on all for an empty name.

  /// The engines' processes end: every request on them fails, the models are not loaded any more.
  void crash(std::string_view model = {});
  /// The engines give nothing out, take requests in, and do not notice clients that leave.
  void wedge(bool wedged, std::string_view model = {});
  /// Every engine is `factor` (>= 1) times slower from now on, heat apart.
  void set_slowdown(double factor);
  /// As by a load call: false when there is no such model or it is refused. Returns at once.
  bool load(std::string_view model);
  /// As by an unload call, by instance id; false if there is none.
  bool unload(std::string_view instance);
  /// LM Studio ends and comes back: connections and instances are gone, also those that were there
  /// from the start, and stored responses with them.
  void restart();

  [[nodiscard]] WorkerCounters counters() const;
  [[nodiscard]] std::vector<SeenRequest> seen() const;
  /// In order of load.
  [[nodiscard]] std::vector<SeenInstance> instances() const;

 private:
  void set_refusing(bool refusing);

  std::shared_ptr<Studio> studio_;
  std::unique_ptr<http::Server> server_;
  boost::asio::ip::tcp::endpoint endpoint_;
  bool refusing_ = false;
};

}  // namespace lmb::sim
