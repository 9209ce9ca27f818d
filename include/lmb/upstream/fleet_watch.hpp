#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/http/client.hpp"
#include "lmb/net/resolver.hpp"
#include "lmb/net/shard.hpp"
#include "lmb/net/task.hpp"
#include "lmb/protocol/model_list.hpp"
#include "lmb/upstream/options.hpp"

namespace lmb::upstream {

struct ProbeResult {
  bool alive = false;      ///< A well-formed model list came.
  bool timed_out = false;  ///< Not alive, for want of an answer in time.
  bool connected = false;  ///< With timed_out: it took the connection.
  TimePoint begun;
  Duration took{};
};

/// What the watch tells of a worker; called on the watch's shard.
struct FleetNews {
  std::function<void(WorkerId, std::vector<boost::asio::ip::tcp::endpoint>)> on_endpoints;
  /// Why the probe fails that is reported next. Kinds as of http::fetch; also connect_failed (name
  /// not resolved), worker_refused_key, bad_response (no model list).
  std::function<void(WorkerId, ErrorKind)> on_failure;
  std::function<void(WorkerId, const ProbeResult&)> on_probe;
  /// The worker loads a model: between two probes its model list is read each second. May be empty.
  std::function<bool(WorkerId)> loading;
  /// Only when it differs from the last one.
  std::function<void(WorkerId, protocol::ModelCatalogue)> on_catalogue;
};

/// Probes every worker and reads its model list, until stopped.
///
/// LM Studio has no health endpoint and answers 200 to unknown paths, so bodies are judged, not
/// status codes: a probe is GET /lmstudio-greeting, then the richest model list that the worker has
/// (/api/v1/models, /api/v0/models, /v1/models). Alive = a well-formed model list; the greeting is
/// undocumented, so an unexpected one alone condemns nobody. The address whose probe succeeds leads
/// the others. Names are looked up at the start, every resolve_interval, and after a probe that
/// failed; meanwhile probes go on with the addresses known, and these are kept when the
/// look-up fails. A worker without an address yet waits for its first look-up up to probe_timeout
/// before that counts as a failed probe. At most one look-up per worker is under way. Thread
/// safety: none; lives on one shard, one coroutine per worker. Lifetime: shorter than the shard;
/// its end drops probes that are still under way.
class FleetWatch {
 public:
  struct Setup {
    UpstreamOptions options;
    std::vector<WorkerAddress> workers;
    FleetNews news;
    std::function<void(const char*)> on_escape;  ///< Told of exceptions that left a coroutine.
    net::LookUp look_up = net::look_up;
  };
  FleetWatch(net::Shard& shard, Setup setup);
  /// Spawns the coroutines; on the shard's thread or before it runs.
  void start();
  /// A worker joins at `place`, which no watched worker has; probed at once. After start(), on the
  /// shard's thread.
  void add(WorkerId place, WorkerAddress address);
  /// A worker leaves: nothing is told of it any more, also of a probe under way. On the shard's
  /// thread.
  void remove(WorkerId worker);
  /// The key of a watched worker has changed; probed with it at once. On the shard's thread.
  void set_key(WorkerId worker, std::string api_key);
  /// A connection to the worker could not be made: look its name up again and probe it now, but at
  /// most once a second. On the shard's thread.
  void look_again(WorkerId worker);
  /// The worker's model list is told wrong by its answers: read it now, but at most once a second,
  /// and tell of it also when it is the same as before. On the shard's thread.
  void read_again(WorkerId worker);
  /// No further probe begins; on the shard's thread.
  void stop() { group_.stop(net::StopLevel::finish_request); }

 private:
  struct Watcher;
  struct Target {
    WorkerAddress address;
    WorkerId id;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;
    TimePoint look_up_at{};
    bool looking_up = false;
    TimePoint probed_at{};
    bool soon = false;           ///< Probe again as soon as may be.
    std::uint64_t doubts = 0;    ///< How often read_again() was asked.
    bool dropped = false;        ///< The last list was dropped for a doubt: the next one counts.
    Watcher* watcher = nullptr;  ///< The coroutine that watches it, while it runs.
    std::size_t list_index = 0;  ///< Which model list the worker is known to have.
    bool afresh = false;         ///< Look for the richest one again.
    std::optional<protocol::ModelCatalogue> catalogue;
    std::string last_failure;
    std::string look_up_failure;  ///< While the addresses known are kept.
    ErrorKind failure{};          ///< What the last probe failed with.
    bool late = false;            ///< One of its addresses took the probe and did not answer.
    bool our_lack = false;        ///< It failed for want of something of ours.
    bool removed = false;         ///< Its worker left.
  };
  using TargetPointer = std::shared_ptr<Target>;  ///< Shared with its coroutine and look-ups.
  net::Task<void> watch(TargetPointer kept);
  [[nodiscard]] Target* find(WorkerId worker) noexcept;
  /// Until the next probe is due.
  net::Task<void> rest(Watcher& watcher);
  static TimePoint soonest_probe(const Target& target);
  static void probe_soon(Target& target);
  net::Task<bool> probe(Target& target);
  net::Task<bool> probe_at(Target& target, boost::asio::ip::tcp::endpoint endpoint);
  net::Task<bool> read_models(Target& target, boost::asio::ip::tcp::endpoint endpoint);
  void look_up(const TargetPointer& target);
  void looked_up(Target& target, Result<net::Endpoints> result);
  void lead(Target& target, const boost::asio::ip::tcp::endpoint& endpoint);
  net::Task<Result<http::FetchedAnswer>> fetch(boost::asio::ip::tcp::endpoint endpoint,
                                               http::FetchRequest request);
  void note_failure(Target& target, const Error& error);
  void note_failure(Target& target, ErrorKind kind, std::string what);

  net::Shard& shard_;
  const UpstreamOptions options_;
  std::vector<TargetPointer> targets_;  ///< By worker; null = not watched.
  FleetNews news_;
  net::Resolver resolver_;
  net::SessionGroup group_;  ///< Goes first: its frames use all of the above.
};

}  // namespace lmb::upstream
