#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/sim/worker.hpp"

namespace lmb::sim {

/// Several simulated workers on one thread.
///
/// Thread: a fleet with a thread of its own may be called from any one other thread; a fleet on a
/// given io_context from the thread that runs it, and is destroyed before it.
class Fleet {
 public:
  /// On a thread of its own.
  explicit Fleet(FleetOptions options);
  /// On `context`, which the caller runs, on one thread.
  Fleet(boost::asio::io_context& context, FleetOptions options);
  /// Stops.
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// All workers listen when this returns, or none. Errors: internal, the detail names the address.
  Result<void> start();
  /// Closes everything. On its own thread: returns when the thread has ended.
  void stop();

  [[nodiscard]] std::size_t size() const noexcept { return workers_.size(); }
  [[nodiscard]] std::uint16_t port(std::size_t worker) const { return workers_[worker]->port(); }
  /// e.g. "http://127.0.0.1:1234"
  [[nodiscard]] std::string url(std::size_t worker) const;
  /// As the fleet's thread sees them: waits for its turn.
  [[nodiscard]] WorkerCounters counters(std::size_t worker) const;
  [[nodiscard]] std::vector<SeenRequest> seen(std::size_t worker) const {
    return workers_[worker]->seen();
  }
  [[nodiscard]] std::vector<SeenInstance> instances(std::size_t worker) const {
    return workers_[worker]->instances();
  }
  /// Runs `work` on the fleet's thread; done when this returns.
  void with(std::size_t worker, const std::function<void(Worker&)>& work);
  /// Worker::set_fault; in effect when this returns.
  void set_fault(std::size_t worker, Fault fault, FaultScope scope = FaultScope::generation,
                 std::uint32_t count = 0);

 private:
  void run_on_thread(const std::function<void()>& work) const;

  using Guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

  std::unique_ptr<boost::asio::io_context> own_context_;
  std::optional<Guard> guard_;  // A fleet that refuses all connections must not end its thread.
  std::vector<WorkerOptions> options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::thread thread_;
};

}  // namespace lmb::sim
