#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/telemetry/request_record.hpp"

namespace lmb::telemetry {

/// Places that workers can have: WorkerIds are below this.
inline constexpr std::size_t worker_places = 64;

struct BuildInfo {
  std::string version;
  std::string git_hash;
};

/// A worker's gauges as the dispatcher's snapshot gives them, copied in before each scrape.
/// What a worker's health changed to.
enum class WorkerHealth : std::uint8_t { up, suspect, down };

struct WorkerGauges {
  WorkerId worker;
  bool up = false;
  bool suspect = false;
  bool breaker_open = false;
  bool draining = false;
  std::uint32_t in_flight = 0;
  std::uint32_t settling = 0;
  std::uint32_t slots = 0;
  bool retired = false;  ///< It left the fleet and only finishes requests.
};

/// Every metric of the program (docs/metrics.md is checked against it by a test).
///
/// Handles are resolved at construction: recording touches counters (an atomic each) and histograms
/// (a lock of their own each, held for a few ns) and looks up no label, except that a combination
/// of worker, route and code creates its series when it is first seen. A worker's series are its
/// name's: one that leaves and comes back goes on counting where it was. WorkerIds must be those of
/// the constructor's list or of set_worker(). Thread safety: all members may be called from any
/// thread.
class Metrics {
 public:
  /// `workers`: names in WorkerId order. `routes`: the bounded set of route labels; a record with
  /// another route counts as "unknown". `balanced_routes`: those of `routes` that go to workers:
  /// their requests_total series with code 200 stand at 0 from the first scrape.
  Metrics(const std::vector<std::string>& workers, const std::vector<std::string_view>& routes,
          const BuildInfo& build, const std::vector<std::string_view>& balanced_routes = {});
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// From now on `place` is that worker's: what is counted for the id counts for the name. Series
  /// stay in memory, some 50 KB for each name that was ever set.
  void set_worker(WorkerId place, const std::string& name);
  /// The config file was read again: a file with errors, or more workers than fit, changed nothing.
  void note_reload(bool successful) noexcept;

  /// Counts one finished request: requests by worker/route/code, duration, TTFT, TPOT, queue wait,
  /// phases, tokens, bytes, disconnects by phase, errors by kind.
  void record(const RequestRecord& record) noexcept;
  /// One attempt ended at a worker with an error that the client may never have seen.
  void count_attempt_failure(WorkerId worker, ErrorKind error) noexcept;
  void count_retry(WorkerId worker, ErrorKind error) noexcept;
  /// A connection was taken for an exchange: from the pool, or fresh.
  void count_connection(WorkerId worker, bool reused) noexcept;
  void count_probe(WorkerId worker, bool alive, Duration took) noexcept;
  void count_transition(WorkerId worker, WorkerHealth to) noexcept;
  /// A named limit was hit; `limit` is the config key, e.g. "limits.body_bytes". Unknown names
  /// count as "other".
  void count_limit_hit(std::string_view limit) noexcept;
  void client_connection_opened() noexcept;
  void client_connection_closed() noexcept;
  void count_internal_error() noexcept;
  /// Lines of the access log that nobody took in time or that could not be written.
  void count_access_lines_dropped(std::uint64_t lines) noexcept;
  /// How late a shard's tick came.
  void observe_loop_lag(std::size_t shard, Duration lag) noexcept;

  /// Sets the gauges that are read at scrape time only. From then on render() shows no series of
  /// workers that are not among `workers`; two of one name are summed up.
  void set_fleet(const std::vector<WorkerGauges>& workers, std::size_t queued,
                 std::uint64_t body_memory_bytes);

  /// What the scheduler has counted since the start; counters never go back, so a total below an
  /// earlier one changes nothing.
  void set_scheduler_totals(std::uint64_t retries_refused, std::uint64_t panic_grants) noexcept;

  /// All metrics in Prometheus text format 0.0.4, families and series sorted, HELP escaped.
  /// Milliseconds of work: never call it on a shard.
  [[nodiscard]] std::string render() const;
  /// Family names with type and help text, for docs/metrics.md and its test.
  struct Description {
    std::string name;
    std::string type;
    std::string help;
    std::vector<std::string> labels;
    std::string unit;
  };
  [[nodiscard]] std::vector<Description> describe() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace lmb::telemetry
