#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ledger.hpp"
#include "lmb/net/timer.hpp"
#include "lmb/sim/options.hpp"
#include "loader.hpp"
#include "machine_clock.hpp"
#include "pacer.hpp"
#include "problem.hpp"
#include "throttled_engine.hpp"

namespace lmb::sim {

/// An instance of a model, in memory or on its way there; it outlives its unloading as long as a
/// request looks at it.
struct Instance {
  InstanceNumber number;
  std::string id;
  const ModelOptions* model = nullptr;
  ModelFacts facts;            ///< With the context length of this instance.
  std::uint32_t parallel = 0;  ///< As the lists tell it.
  bool loaded = false;
  double load_progress = 0;       ///< 0 to 1.
  Duration load_time{};           ///< In the machine's time; known from the start.
  std::optional<Problem> ending;  ///< Why it is gone.
  std::unique_ptr<Pacer> pacer;
  ThrottledEngine* engine = nullptr;  ///< The pacer's.
  /// Requests that wait for the load.
  std::vector<std::weak_ptr<Progress>> watchers;

  void watch(const std::shared_ptr<Progress>& progress) { watchers.push_back(progress); }
};

/// What a load call asks of the instance.
struct LoadWish {
  Origin origin = Origin::by_hand;
  std::optional<Duration> ttl;                  ///< Of a just-in-time load; unset: the worker's.
  std::optional<std::uint64_t> context_length;  ///< Unset: the model's own.
};

/// The instances of one worker, loaded and unloaded as its Loader says. Thread: the executor's.
class Instances {
 public:
  /// All references must outlive this.
  Instances(const boost::asio::any_io_executor& executor, const WorkerOptions& options,
            const std::vector<ModelOptions>& models, Ledger& ledger);

  /// The one that answers for this model, see Loader::find.
  std::shared_ptr<Instance> find(std::size_t model);
  std::shared_ptr<Instance> find_id(std::string_view id);
  /// Begins a load.
  std::variant<std::shared_ptr<Instance>, Problem> load(std::size_t model, const LoadWish& wish);
  void unload(InstanceNumber instance, UnloadReason reason);
  /// Ends them all, as when LM Studio's process ends.
  void unload_all();
  void set_load_fault(std::size_t model, LoadFault fault) { loader_.set_fault(model, fault); }

  /// The instance is in use until `release`.
  void hold(const Instance& instance);
  void release(const Instance& instance);

  /// The engine gives nothing out until it is freed again.
  void wedge(Instance& instance, bool wedged);
  /// All engines, also those to come, are so many times slower; >= 1.
  void set_slowdown(double factor);
  /// The context pool is full: everything on this instance fails.
  void fail_all(Instance& instance);

  void submit(Instance& instance, Job job, const std::shared_ptr<Progress>& progress);
  void cancel(Instance& instance, JobId job);
  /// In order of load.
  [[nodiscard]] const std::map<InstanceNumber, std::shared_ptr<Instance>>& all() const {
    return instances_;
  }
  /// Nothing more will happen.
  void halt();

 private:
  std::shared_ptr<Instance> add(InstanceNumber number, const LoadWish& wish);
  void pump();
  void apply(const LoadEvent& event);
  void end(const std::shared_ptr<Instance>& instance, UnloadReason reason);
  void count_load();
  void publish();

  const WorkerOptions& options_;
  const std::vector<ModelOptions>& models_;
  Ledger& ledger_;
  MachineClock clock_;
  Loader loader_;
  std::map<InstanceNumber, std::shared_ptr<Instance>> instances_;
  double slowdown_ = 1;
  bool halted_ = false;
  net::Timer timer_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // For timer_'s handler.
};

/// A request's hold on an instance.
class Claim {
 public:
  Claim(Instances& instances, std::shared_ptr<Instance> instance, bool caused_load)
      : instances_(&instances), instance_(std::move(instance)), caused_load_(caused_load) {
    instances_->hold(*instance_);
  }
  Claim(Claim&& other) noexcept = default;
  Claim& operator=(Claim&& other) = delete;
  ~Claim() {
    if (instance_) instances_->release(*instance_);
  }

  [[nodiscard]] Instance& instance() const { return *instance_; }
  [[nodiscard]] const std::shared_ptr<Instance>& shared() const { return instance_; }
  /// This request began the load of the instance.
  [[nodiscard]] bool caused_load() const { return caused_load_; }

 private:
  Instances* instances_;
  std::shared_ptr<Instance> instance_;
  bool caused_load_;
};

}  // namespace lmb::sim
