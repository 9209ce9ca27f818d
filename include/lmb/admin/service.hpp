#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "lmb/admin/reload.hpp"
#include "lmb/base/error.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/config/config.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "lmb/telemetry/request_record.hpp"

namespace lmb::admin {

/// Calls its argument with each request that a shard serves now, oldest first; on that shard.
using VisitRequests =
    std::function<void(const std::function<void(const telemetry::RequestRecord&)>&)>;

/// A shard, as far as the admin listener asks it.
struct ShardRequests {
  boost::asio::any_io_executor shard;
  VisitRequests visit;
};

/// What the service shows and acts on. Of `config` it uses what no reload changes. All that is
/// pointed to outlives it; the functions may be called from any thread.
struct ServiceSetup {
  const config::Config* config = nullptr;
  dispatch::Dispatcher* dispatcher = nullptr;
  telemetry::Metrics* metrics = nullptr;
  telemetry::BuildInfo build;
  const std::atomic<bool>* draining = nullptr;  ///< The program is ending.
  boost::asio::any_io_executor home;            ///< The shard it lives on.
  boost::asio::any_io_executor scribe;          ///< Where pages are written.
  std::vector<ShardRequests> shards;
  std::function<std::uint64_t()> body_memory;
  std::function<std::size_t()> client_connections;
  BeginReload reload;  ///< POST /admin/reload.
  /// A session of the listener ended by an exception.
  std::function<void(const char* what)> on_escape = [](const char*) {};
};

/// The admin listener: what the fleet does now, and the calls that change it (docs/admin.md).
///
/// Thread safety: none; lives on one shard, every call there or before it runs. What takes longer
/// than a millisecond is done elsewhere. Lifetime: shorter than the shard; after stop(), what it
/// uses must live until active() is 0 or the shard does not run any more.
class Service {
 public:
  explicit Service(ServiceSetup setup);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Binds to every address of admin.listen, all or nothing, as net::Acceptor does it. Errors:
  /// internal, detail says which address, why, and what to do.
  Result<void> listen();
  /// The bound endpoints, in the order of the config; tells the port chosen for port 0.
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;
  void stop();
  [[nodiscard]] std::size_t active() const;

  /// Who is in the fleet, at the start and after a reload. One that left is still shown while it
  /// finishes requests, but is not to be drained any more.
  void set_worker(WorkerId place, const scheduling::WorkerSpec& spec,
                  const upstream::WorkerAddress& address);
  void retire_worker(WorkerId worker);

  /// News of the fleet watch, for GET /admin/workers: how the last probe went, and why one failed.
  void note_probe(WorkerId worker, bool alive, Duration took);
  void note_failure(WorkerId worker, ErrorKind kind);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lmb::admin
