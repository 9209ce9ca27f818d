#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmb/admin/model_lists.hpp"
#include "lmb/admin/service.hpp"
#include "lmb/app/server.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/net/acceptor.hpp"
#include "lmb/net/shard.hpp"
#include "lmb/proxy/front.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "lmb/upstream/fleet_watch.hpp"

namespace lmb::app {
namespace asio = boost::asio;
using asio::ip::tcp;

/// Who has a place, or had it last.
struct Seat {
  scheduling::WorkerSpec spec;
  upstream::WorkerAddress address;
  bool member = false;
  bool used = false;  ///< Ever.
};

/// All that a Server is made of.
struct Server::Parts {
  Parts(config::Config its_config, std::string its_file);

  /// An exception left a coroutine: our own fault, never a peer's.
  void note_escape(const char* what);
  void make_shards();
  void make_watch();
  void make_admin();
  /// What the workers' model lists mean together is told to the dispatcher.
  void tell_offers();
  void on_socket(std::size_t index, tcp::socket socket);

  // A reload, step by step, on the control shard (reload.cpp).
  using ReloadDone = std::function<void(admin::ReloadReport)>;
  void begin_reload(ReloadDone done);
  /// SIGHUP: as begin_reload, but what comes while one is under way is done after it.
  void reload_on_signal();
  struct Reload;
  using ReloadPointer = std::shared_ptr<Reload>;
  void on_config(const ReloadPointer& reload, config::Parsed parsed);
  /// Which places can be taken: the shards are asked what their requests still name.
  void ask_shards(const ReloadPointer& reload);
  void choose_places(const ReloadPointer& reload);
  /// Every shard knows the workers that join before they can be given requests.
  void tell_shards(const ReloadPointer& reload);
  void commit(const ReloadPointer& reload);
  void end_reload(const ReloadPointer& reload);
  void join(WorkerId place, const Seat& seat, bool returns);
  void retire(WorkerId worker);
  void change(WorkerId worker, const Seat& seat);
  [[nodiscard]] std::optional<WorkerId> find_member(const std::string& name) const;

  /// Once no thread runs any more: sessions that did not end in time must not outlive what they
  /// use.
  void drop_sessions();
  /// All of them together, so that a reader who does not read is waited for once.
  void end_access_logs();

  // The order of destruction, from below: what has sockets goes while the contexts are there.
  // Sessions that never ended are dropped before any of it.
  const config::Config config;    ///< As it was at the start.
  const std::string config_file;  ///< Empty = none.
  /// What runs: `config` with the workers and the log level of the last reload. Control shard only.
  config::Config running_config;
  std::array<Seat, scheduling::fleet_size_max> seats;  ///< By worker. Control shard only.
  std::uint32_t next_place = 0;  ///< Where the search for a vacant one begins.
  bool reloading = false;
  bool reload_again = false;
  telemetry::Metrics metrics;
  /// Inflates and reads large bodies.
  std::optional<asio::thread_pool> helper;
  /// Writes /metrics and the admin pages, which must not wait behind bodies.
  std::optional<asio::thread_pool> scribe;
  /// As read last; empty until then. Touched by the control shard only.
  std::vector<std::optional<protocol::ModelCatalogue>> catalogues;
  std::atomic<bool> draining{false};
  /// Serve clients.
  std::vector<std::unique_ptr<net::Shard>> shards;
  /// Probes, catalogues and the admin listener: no work of theirs delays a token.
  std::unique_ptr<net::Shard> control;
  std::unique_ptr<dispatch::Dispatcher> dispatcher;
  std::unique_ptr<proxy::Shared> shared;
  std::unique_ptr<admin::ModelLists> model_lists;
  std::vector<std::unique_ptr<proxy::Front>> fronts;
  std::unique_ptr<admin::Service> admin;
  std::unique_ptr<upstream::FleetWatch> watch;
  std::unique_ptr<net::Acceptor> acceptor;
  bool running = false;
};

}  // namespace lmb::app
