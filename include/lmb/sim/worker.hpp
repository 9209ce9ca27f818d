#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/sim/fault.hpp"
#include "lmb/sim/options.hpp"

namespace lmb::http {
class Server;
}

namespace lmb::sim {

/// started = finished + cancelled + running + waiting + answers whose last tokens are on their way.
struct WorkerCounters {
  std::uint32_t running = 0;  ///< Slots in use now, over all models; settling prompts included.
  std::uint32_t waiting = 0;  ///< In the worker's own queue now.
  std::uint32_t running_max = 0;
  std::uint32_t waiting_max = 0;
  std::uint64_t requests = 0;  ///< All HTTP requests, lists and errors included.
  std::uint64_t started = 0;   ///< Generations and embeddings taken.
  std::uint64_t finished = 0;
  std::uint64_t cancelled = 0;  ///< Counted when the slot is free again.
  std::uint64_t faults = 0;     ///< Requests that a fault was played on.
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;  ///< Of the prompt tokens, found in a prefix cache.
  std::uint64_t generated_tokens = 0;
  std::uint64_t connections_accepted = 0;
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

class Studio;

/// The HTTP face of one simulated LM Studio.
///
/// Thread: every call on the executor's thread (or before it runs), except `counters` and `seen`,
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

  [[nodiscard]] WorkerCounters counters() const;
  [[nodiscard]] std::vector<SeenRequest> seen() const;

 private:
  std::shared_ptr<Studio> studio_;
  std::unique_ptr<http::Server> server_;
  boost::asio::ip::tcp::endpoint endpoint_;
  bool refusing_ = false;
};

}  // namespace lmb::sim
