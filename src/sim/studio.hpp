#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fault_script.hpp"
#include "instances.hpp"
#include "ledger.hpp"
#include "lmb/http/server.hpp"
#include "lmb/sim/worker.hpp"
#include "model_lists.hpp"
#include "response_store.hpp"

namespace lmb::sim {

/// What a request wants of a model.
struct ModelWish {
  std::string name;
  bool embedding = false;
  std::optional<Duration> ttl;                  ///< Of a load that it causes.
  std::optional<std::uint64_t> context_length;  ///< The same.
};

/// One simulated LM Studio: models on disk, instances in memory, and what its requests share.
///
/// Thread: the executor's, except the ledger's.
class Studio {
 public:
  Studio(const boost::asio::any_io_executor& executor, const WorkerOptions& options);

  [[nodiscard]] const WorkerOptions& options() const noexcept { return options_; }
  /// On disk, in the order of the options, the embedding model last.
  [[nodiscard]] const std::vector<ModelOptions>& models() const { return models_; }
  [[nodiscard]] Instances& instances() noexcept { return instances_; }
  [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] FaultScript& faults() noexcept { return faults_; }
  [[nodiscard]] ResponseStore& responses() noexcept { return responses_; }
  [[nodiscard]] const ResponseStore& responses() const noexcept { return responses_; }

  /// The instance that will answer; loads one if that takes it (just in time).
  std::variant<Claim, Problem> claim(const ModelWish& wish);
  /// A model on disk by key or variant; nothing if there is none.
  [[nodiscard]] std::optional<std::size_t> find_model(std::string_view name) const;
  /// What the model lists show; without just-in-time loading only what is loaded.
  [[nodiscard]] std::vector<ListedModel> listed(bool loaded_only) const;

  /// Loaded and loading, of the model by this name, of all for an empty one.
  [[nodiscard]] std::vector<std::shared_ptr<Instance>> instances_of(std::string_view model) const;

  /// The client of a generation left: frees its slot, or lets it run out as a zombie.
  void leave(Instance& instance, const Progress& progress);

  /// Its face, for control calls; nullptr once that is gone.
  [[nodiscard]] Worker* worker() const noexcept { return worker_; }
  void set_worker(Worker* worker) noexcept { worker_ = worker; }

  [[nodiscard]] Credential credential_of(const http::Request& request) const;
  /// Remembers a request; the number returned names it for Ledger::note_model.
  std::uint64_t note(const http::Request& request);
  /// An answer's id, e.g. "chatcmpl-…"; unlike any before.
  std::string next_id(std::string_view prefix);

 private:
  std::shared_ptr<Instance> find_instance(const ModelWish& wish);
  [[nodiscard]] Problem no_such_model(const ModelWish& wish) const;
  [[nodiscard]] bool is_kind(std::size_t model, bool embedding) const;

  const WorkerOptions options_;
  std::vector<ModelOptions> models_;
  Ledger ledger_;
  Instances instances_;
  FaultScript faults_;
  ResponseStore responses_;
  Worker* worker_ = nullptr;
  std::uint64_t ids_ = 0;
};

}  // namespace lmb::sim
