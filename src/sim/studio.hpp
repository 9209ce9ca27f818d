#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/http/server.hpp"
#include "lmb/sim/worker.hpp"
#include "pacer.hpp"

namespace lmb::sim {

/// A model and, when it is loaded, its engine.
struct StudioModel {
  const ModelOptions* options = nullptr;
  std::unique_ptr<Pacer> pacer;  ///< Null when not loaded.
};

/// What the requests of one worker share: models, faults, counters.
///
/// Thread: the executor's, except `counters` and `seen`.
class Studio {
 public:
  Studio(const boost::asio::any_io_executor& executor, const WorkerOptions& options);

  [[nodiscard]] const WorkerOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::vector<ModelOptions>& model_options() const { return models_; }
  /// By key, variant or instance id, among models that embed or those that generate; nullptr if
  /// there is none.
  StudioModel* find_model(std::string_view name, bool embedding);
  [[nodiscard]] bool any_loaded(bool embedding) const;

  std::shared_ptr<Progress> submit(StudioModel& model, Job job);
  void cancel(StudioModel& model, JobId job);
  void halt();

  void set_fault(Fault fault, FaultScope scope, std::uint32_t count);
  /// The fault to play on this request; counts it.
  Fault take_fault(const http::Request& request, bool generation);

  [[nodiscard]] Credential credential_of(const http::Request& request) const;
  /// Remembers a request; the number returned names it for note_model.
  std::uint64_t note(const http::Request& request);
  void note_model(std::uint64_t number, const std::string& model);
  /// An answer's id, e.g. "chatcmpl-…"; unlike any before.
  std::string next_id(std::string_view prefix);

  [[nodiscard]] WorkerCounters counters() const;
  [[nodiscard]] std::vector<SeenRequest> seen() const;

 private:
  void observe(const Event& event);
  void count_load();

  const WorkerOptions options_;
  std::vector<ModelOptions> models_;
  std::vector<StudioModel> loaded_;
  Fault fault_ = Fault::none;
  FaultScope fault_scope_ = FaultScope::generation;
  std::uint32_t fault_count_ = 0;  // 0 = without end.
  std::uint64_t ids_ = 0;

  mutable std::mutex mutex_;  // Of what follows.
  WorkerCounters counters_;
  std::deque<SeenRequest> seen_;
  std::uint64_t first_seen_ = 0;  // Number of seen_.front().
};

}  // namespace lmb::sim
