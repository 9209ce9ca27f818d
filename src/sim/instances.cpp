#include "instances.hpp"

#include <algorithm>
#include <utility>

#include "lmb/base/assert.hpp"
#include "model_lists.hpp"
#include "text.hpp"
#include "version_facts.hpp"

namespace lmb::sim {
namespace {

/// Slots of an instance that a request or a load call loaded, whatever the model's settings.
constexpr std::uint32_t default_parallel = 4;

Duration load_time_of(const ModelOptions& model) {
  if (model.load_time) return *model.load_time;
  constexpr double bytes_per_second = 3e9;
  return seconds(1.5 + static_cast<double>(model.preset.model.size_bytes) / bytes_per_second);
}

Loader::Rules rules_of(const WorkerOptions& options) {
  Loader::Rules out;
  out.auto_evict = options.auto_evict && unloads_by_itself(options.version);
  out.duplicate_loads = options.duplicate_loads;
  out.memory_bytes = options.memory_bytes;
  return out;
}

std::vector<DiskModel> disk_models(const std::vector<ModelOptions>& models) {
  std::vector<DiskModel> out;
  for (const auto& model : models) {
    const ModelFacts& facts = model.preset.model;
    out.push_back({facts.key, facts.size_bytes, load_time_of(model), model.load_fault});
  }
  return out;
}

Problem problem_of(UnloadReason reason, const std::string& name) {
  Problem out;
  out.kind = ProblemKind::instance_unloaded;
  switch (reason) {
    case UnloadReason::asked:
      out.message = "Model unloaded by user or API request.";
      break;
    case UnloadReason::idle:
      out.message = "Model is unloaded.";
      break;
    case UnloadReason::evicted:
      out.message = "Model unloaded.";
      break;
    case UnloadReason::crashed:
      out.kind = ProblemKind::engine;
      out.message = "The model has crashed without additional information. (Exit code: 6)";
      break;
    case UnloadReason::load_failed:
      out = load_refused(name, loading_failed);
      break;
  }
  return out;
}

}  // namespace

Instances::Instances(const boost::asio::any_io_executor& executor, const WorkerOptions& options,
                     const std::vector<ModelOptions>& models, Ledger& ledger)
    : options_(options),
      models_(models),
      ledger_(ledger),
      clock_(Clock::now(), options.speed),
      loader_(rules_of(options), disk_models(models)),
      timer_(executor) {
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (!models_[i].loaded) continue;
    add(loader_.place(i, clock_.now()), LoadWish())->loaded = true;
  }
  publish();
}

std::shared_ptr<Instance> Instances::find(std::size_t model) {
  pump();
  const auto number = loader_.find(model);
  return number ? instances_.at(*number) : nullptr;
}

std::shared_ptr<Instance> Instances::find_id(std::string_view id) {
  pump();
  const auto number = loader_.find_id(id);
  return number ? instances_.at(*number) : nullptr;
}

std::variant<std::shared_ptr<Instance>, Problem> Instances::load(std::size_t model,
                                                                 const LoadWish& wish) {
  Duration ttl = wish.ttl.value_or(options_.ttl);
  if (!unloads_by_itself(options_.version)) ttl = Duration::max();
  const auto number = loader_.load(model, wish.origin, ttl, clock_.now());
  if (!number) {
    pump();
    return load_refused(models_[model].preset.model.key, insufficient_resources);
  }
  ledger_.note_load();
  auto instance = add(*number, wish);
  pump();
  publish();
  return instance;
}

std::shared_ptr<Instance> Instances::add(InstanceNumber number, const LoadWish& wish) {
  const Residence& residence = *loader_.residence(number);
  const ModelOptions& model = models_[residence.model];
  auto out = std::make_shared<Instance>();
  out->number = number;
  out->id = residence.id;
  out->model = &model;
  out->facts = model.preset.model;
  if (wish.context_length) {
    out->facts.context_length = std::min(*wish.context_length, out->facts.max_context_length);
  }
  out->load_time = residence.load_time;
  out->parallel = residence.loaded ? slots_of(model) : default_parallel;
  if (model.preset.model.embedding || !is_parallel(options_.version)) out->parallel = 1;
  const std::uint64_t seed = hash_text(out->id, options_.engine_seed);
  const std::uint32_t running_max = options_.serialise ? 1 : out->parallel;
  auto engine = std::make_unique<ThrottledEngine>(make_engine(model.preset, running_max, seed),
                                                  options_.thermal);
  out->engine = engine.get();
  out->engine->set_slowdown(slowdown_, clock_.now());
  out->pacer = std::make_unique<Pacer>(timer_.get_executor(), std::move(engine), clock_,
                                       [this](const Event& event, const Progress& progress) {
                                         ledger_.observe(event, progress);
                                         count_load();
                                       });
  instances_.emplace(number, out);
  return out;
}

void Instances::unload(InstanceNumber instance, UnloadReason reason) {
  loader_.unload(instance, reason, clock_.now());
  pump();
}

void Instances::unload_all() {
  std::vector<InstanceNumber> numbers;
  for (const auto& [number, instance] : instances_) numbers.push_back(number);
  for (const InstanceNumber number : numbers) unload(number, UnloadReason::crashed);
}

void Instances::hold(const Instance& instance) {
  loader_.hold(instance.number, clock_.now());
}

void Instances::release(const Instance& instance) {
  loader_.release(instance.number, clock_.now());
  pump();
}

void Instances::wedge(Instance& instance, bool wedged) {
  instance.pacer->change([&](TimePoint now) { instance.engine->set_wedged(wedged, now); });
  count_load();
}

void Instances::set_slowdown(double factor) {
  slowdown_ = factor;
  for (const auto& [number, instance] : instances_) {
    instance->pacer->change(
        [&, engine = instance->engine](TimePoint now) { engine->set_slowdown(factor, now); });
  }
}

void Instances::fail_all(Instance& instance) {
  instance.pacer->fail_all(context_exceeded());
  count_load();
}

void Instances::submit(Instance& instance, Job job, const std::shared_ptr<Progress>& progress) {
  LMB_ASSERT(instance.loaded && !instance.ending);
  ledger_.note_started(job.prompt_tokens);
  instance.pacer->submit(std::move(job), progress);
  count_load();
}

void Instances::cancel(Instance& instance, JobId job) {
  instance.pacer->cancel(job);
  count_load();
}

void Instances::halt() {
  halted_ = true;
  timer_.cancel();
  for (const auto& [number, instance] : instances_) instance->pacer->halt();
}

void Instances::pump() {
  if (halted_) return;
  for (const LoadEvent& event : loader_.advance(clock_.now())) apply(event);
  const auto next = loader_.next_event();
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(clock_.real(*next));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code ec) {
    if (!ec && !alive.expired()) pump();
  });
}

void Instances::apply(const LoadEvent& event) {
  const auto found = instances_.find(event.instance);
  if (found == instances_.end()) return;
  const std::shared_ptr<Instance> instance = found->second;
  switch (event.kind) {
    case LoadEventKind::progress:
      instance->load_progress = event.progress;
      break;
    case LoadEventKind::loaded:
      instance->load_progress = 1;
      instance->loaded = true;
      publish();
      break;
    case LoadEventKind::unloaded:
      end(instance, event.reason);
      break;
  }
  for (const auto& watcher : instance->watchers) {
    if (const auto progress = watcher.lock()) progress->wake();
  }
  if (instance->loaded || instance->ending) instance->watchers.clear();
}

void Instances::end(const std::shared_ptr<Instance>& instance, UnloadReason reason) {
  instance->ending = problem_of(reason, instance->facts.key);
  instances_.erase(instance->number);
  ledger_.note_unload();
  publish();
  instance->pacer->kill(*instance->ending);
  count_load();
}

void Instances::count_load() {
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;
  for (const auto& [number, instance] : instances_) {
    running += instance->pacer->engine().running();
    waiting += instance->pacer->engine().waiting();
  }
  ledger_.set_load(running, waiting);
}

void Instances::publish() {
  std::vector<SeenInstance> out;
  for (const auto& [number, instance] : instances_) {
    SeenInstance seen;
    seen.id = instance->id;
    seen.model = instance->facts.key;
    seen.loaded = instance->loaded;
    out.push_back(std::move(seen));
  }
  ledger_.set_instances(std::move(out));
}

}  // namespace lmb::sim
