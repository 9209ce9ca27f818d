#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/dispatch/response_directory.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/shard.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/proxy/client_identity.hpp"
#include "lmb/proxy/connection_counts.hpp"
#include "lmb/proxy/local_answer.hpp"
#include "lmb/proxy/options.hpp"
#include "lmb/proxy/route_gaps.hpp"
#include "lmb/proxy/running.hpp"
#include "lmb/scheduling/options.hpp"
#include "lmb/telemetry/access_log.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "lmb/telemetry/request_record.hpp"
#include "lmb/upstream/connection_pool.hpp"
#include "lmb/upstream/options.hpp"
#include "lmb/upstream/worker_directory.hpp"

namespace lmb::proxy {

/// Bytes of memory that all shards share: one atomic counter with a ceiling.
/// Thread safety: safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit) noexcept : limit_(limit) {}
  /// Takes `bytes`, or nothing when that would pass the limit.
  [[nodiscard]] bool take(std::size_t bytes) noexcept;
  void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// A name for Via that no other process has, such as "lmbalancer-5f3a09c1": a loop shows by it.
std::string make_pseudonym();

/// What all shards' sessions use. Built once, immutable but for the counters; outlives every Front.
struct Shared {
  Shared(ProxyOptions proxy_options, dispatch::Dispatcher& the_dispatcher,
         telemetry::Metrics& the_metrics, const net::NetOptions& net = {})
      : options(std::move(proxy_options)),
        dispatcher(the_dispatcher),
        metrics(the_metrics),
        identities(options.auth),
        responses(options.responses),
        body_memory(options.limits.body_memory),
        stream_memory(options.limits.stream_buffer_total),
        connections(net.connections_max, net.connections_per_client_max) {}

  const ProxyOptions options;
  scheduling::RetryOptions retry;
  upstream::UpstreamOptions upstream;
  LocalRoutes local;
  /// A connection to the worker could not be made; called on any shard.
  std::function<void(WorkerId)> on_unreachable = [](WorkerId) {};
  boost::asio::any_io_executor helper;  ///< The helper thread, for work above a millisecond.
  const std::string pseudonym = make_pseudonym();  ///< Our name in Via.
  dispatch::Dispatcher& dispatcher;
  telemetry::Metrics& metrics;
  const Identities identities;
  dispatch::ResponseDirectory responses;  ///< Which worker can go on from which answer.
  RouteGaps route_gaps;                   ///< Which worker lacks which route.
  MemoryBudget body_memory;
  MemoryBudget stream_memory;
  std::atomic<std::size_t> inspections{
      0};                        ///< Bodies that wait for the helper thread or are there.
  ConnectionCounts connections;  ///< Of clients, over all shards.
};

/// The proxy on one shard: its sessions, its pooled connections, its view of the fleet.
/// Thread safety: none; lives on its shard.
class Front {
 public:
  Front(net::Shard& shard, Shared& shared, telemetry::AccessLog access_log, std::uint64_t seed);

  /// Serves a client connection until it ends, or refuses it when limits.connections are open, or
  /// limits.connections_per_client from its address; the session belongs to the shard's group.
  void serve(boost::asio::ip::tcp::socket socket);

  /// Connections that are being refused now.
  [[nodiscard]] std::size_t& refused_connections() noexcept { return refused_connections_; }
  [[nodiscard]] net::Shard& shard() noexcept { return shard_; }
  [[nodiscard]] Shared& shared() noexcept { return shared_; }
  [[nodiscard]] upstream::ConnectionPool& pool() noexcept { return pool_; }
  [[nodiscard]] upstream::WorkerDirectory& directory() noexcept { return directory_; }
  [[nodiscard]] telemetry::AccessLog& access_log() noexcept { return access_log_; }
  /// Where the shard's heads are parsed into: 10 KB each, so a session owns none. What they hold is
  /// gone at the next suspension, as are the bytes that their views point to.
  [[nodiscard]] protocol::RequestHead& request_head() noexcept { return request_head_; }
  [[nodiscard]] protocol::ResponseHead& response_head() noexcept { return response_head_; }
  /// 16 hex digits; unique enough to find a request in logs, no secret.
  [[nodiscard]] std::string make_request_id();
  /// The Date field's line (RFC 9110 section 6.6.1), made anew once a second.
  [[nodiscard]] std::string_view date_line();

  /// A worker failed a request: logged at most once in 10 s for each worker (the metrics count
  /// all); when it could not be reached, Shared::on_unreachable hears of it.
  void note_fault(WorkerId worker, const Error& error);
  /// A client began a TLS handshake with a port that speaks none: logged at most once in 10 s.
  void note_tls_client();
  /// A worker joins at `place`, or its address has changed; before it is given requests. Nothing is
  /// kept of one that was there before.
  void set_worker(WorkerId place, upstream::WorkerAddress address);
  /// A worker leaves: its idle connections are closed, what runs on it goes on.
  void retire_worker(WorkerId worker);
  /// Workers that requests in this shard name as the last one that was tried.
  [[nodiscard]] scheduling::WorkerSet named_workers() const;
  /// News of where a worker is; idle connections to elsewhere are closed.
  void set_endpoints(WorkerId worker, std::vector<boost::asio::ip::tcp::endpoint> endpoints);

  /// The requests that are being read, waiting or answered, oldest first.
  [[nodiscard]] RunningRequests& running() noexcept { return running_; }
  /// The attempts that workers work on now.
  [[nodiscard]] RunningAttempts& attempts() noexcept { return attempts_; }
  /// Ends all attempts on the worker with worker_silent: it was found wedged.
  void cut(WorkerId worker);
  /// Ends the attempt with load_timeout, unless it has ended. `grant`: Slot::grant.
  void cut_load(std::uint64_t grant);

  /// A string with capacity from an earlier request, if one is spare; give it back after use.
  [[nodiscard]] std::string borrow_buffer();
  void return_buffer(std::string buffer);

 private:
  void admit(boost::asio::ip::tcp::socket socket);

  net::Shard& shard_;
  Shared& shared_;
  upstream::ConnectionPool pool_;
  upstream::WorkerDirectory directory_;
  telemetry::AccessLog access_log_;
  protocol::RequestHead request_head_;
  protocol::ResponseHead response_head_;
  RunningRequests running_;
  RunningAttempts attempts_;
  std::size_t refused_connections_ = 0;
  std::mt19937_64 random_;
  TimePoint date_until_{};
  std::string date_line_;
  std::vector<std::string> spare_buffers_;
  std::vector<TimePoint> next_fault_log_;  ///< By worker.
  TimePoint next_tls_log_{};
};

}  // namespace lmb::proxy
