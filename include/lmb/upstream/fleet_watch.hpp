#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/http/client.hpp"
#include "lmb/net/shard.hpp"
#include "lmb/net/task.hpp"
#include "lmb/protocol/model_list.hpp"
#include "lmb/upstream/options.hpp"

namespace lmb::upstream {

/// What the watch tells of a worker; called on the watch's shard.
struct FleetNews {
  std::function<void(WorkerId, std::vector<boost::asio::ip::tcp::endpoint>)> on_endpoints;
  /// Why the probe fails that is reported next. Kinds as of http::fetch; also connect_failed (name
  /// not resolved), worker_refused_key, bad_response (no model list).
  std::function<void(WorkerId, ErrorKind)> on_failure;
  std::function<void(WorkerId, bool alive, Duration took)> on_probe;
  /// Only when it differs from the last one.
  std::function<void(WorkerId, protocol::ModelCatalogue)> on_catalogue;
};

/// Probes every worker and reads its model list, until stopped.
///
/// LM Studio has no health endpoint and answers 200 to unknown paths, so bodies are judged, not
/// status codes: a probe is GET /lmstudio-greeting, then the richest model list that the worker has
/// (/api/v1/models, /api/v0/models, /v1/models). Alive = a well-formed model list; the greeting is
/// undocumented, so an unexpected one alone condemns nobody. Names are resolved at the start, every
/// resolve_interval, and after a probe that could not connect; the last good answer is kept when
/// DNS fails. Thread safety: none; lives on one shard, one coroutine per worker. Lifetime: shorter
/// than the shard; its end drops probes that are still under way.
class FleetWatch {
 public:
  FleetWatch(net::Shard& shard, const UpstreamOptions& options,
             const std::vector<WorkerAddress>& workers, FleetNews news,
             std::function<void(const char*)> on_escape);
  /// Spawns the coroutines; on the shard's thread or before it runs.
  void start();
  /// A connection to the worker could not be made: look its name up again and probe it now, but at
  /// most once a second. On the shard's thread.
  void look_again(WorkerId worker);
  /// No further probe begins; on the shard's thread.
  void stop() { group_.stop(net::StopLevel::finish_request); }

 private:
  struct Target {
    WorkerAddress address;
    WorkerId id;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;
    TimePoint resolve_at{};
    TimePoint probed_at{};
    net::Deadline* next_probe = nullptr;  ///< Of the coroutine that watches it, while it runs.
    std::size_t list_index = 0;           ///< Which model list the worker is known to have.
    std::optional<protocol::ModelCatalogue> catalogue;
    std::string last_failure;
    bool our_lack = false;  ///< The last probe failed for want of something of ours.
  };
  class NextProbe;
  net::Task<void> watch(std::size_t index);
  net::Task<bool> probe(Target& target);
  net::Task<void> resolve_name(Target& target);
  net::Task<bool> read_models(Target& target);
  net::Task<Result<http::FetchedAnswer>> fetch(boost::asio::ip::tcp::endpoint endpoint,
                                               http::FetchRequest request);
  void note_failure(Target& target, const Error& error);
  void note_failure(Target& target, ErrorKind kind, std::string what);

  net::Shard& shard_;
  const UpstreamOptions options_;
  std::vector<Target> targets_;
  FleetNews news_;
  net::SessionGroup group_;  ///< Goes first: its frames use all of the above.
};

}  // namespace lmb::upstream
