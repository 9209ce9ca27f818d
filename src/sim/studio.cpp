#include "studio.hpp"

#include <algorithm>

#include "lmb/base/assert.hpp"
#include "model_lists.hpp"
#include "text.hpp"

namespace lmb::sim {

Studio::Studio(const boost::asio::any_io_executor& executor, const WorkerOptions& options)
    : options_(options), models_(options.models) {
  LMB_ASSERT(options_.speed > 0);
  if (models_.empty()) models_.push_back(ModelOptions{*find_preset(default_preset), 0, true});
  models_.push_back(ModelOptions{embedding_preset(), 0, true});
  for (const auto& model : models_) {
    StudioModel entry;
    entry.options = &model;
    if (model.loaded) {
      const std::uint64_t seed = hash_text(model.preset.model.key, options_.engine_seed);
      entry.pacer =
          std::make_unique<Pacer>(executor, make_engine(model.preset, model.parallel, seed),
                                  options_.speed, [this](const Event& event) { observe(event); });
    }
    loaded_.push_back(std::move(entry));
  }
}

StudioModel* Studio::find_model(std::string_view name, bool embedding) {
  for (auto& entry : loaded_) {
    const ModelFacts& model = entry.options->preset.model;
    if (model.embedding != embedding) continue;
    if (model.key == name || variant_of(model) == name) return &entry;
  }
  return nullptr;
}

bool Studio::any_loaded(bool embedding) const {
  return std::ranges::any_of(loaded_, [embedding](const StudioModel& entry) {
    return entry.pacer && entry.options->preset.model.embedding == embedding;
  });
}

std::shared_ptr<Progress> Studio::submit(StudioModel& model, Job job) {
  {
    const std::lock_guard lock(mutex_);
    ++counters_.started;
    counters_.prompt_tokens += job.prompt_tokens;
  }
  auto progress = model.pacer->submit(std::move(job));
  count_load();
  return progress;
}

void Studio::cancel(StudioModel& model, JobId job) {
  model.pacer->cancel(job);
  count_load();
}

void Studio::halt() {
  for (auto& entry : loaded_) {
    if (entry.pacer) entry.pacer->halt();
  }
}

void Studio::set_fault(Fault fault, FaultScope scope, std::uint32_t count) {
  fault_ = fault;
  fault_scope_ = scope;
  fault_count_ = count;
}

Fault Studio::take_fault(const http::Request& request, bool generation) {
  Fault fault = find_fault(request.field("x-sim-fault")).value_or(Fault::none);
  if (fault == Fault::none && (generation || fault_scope_ == FaultScope::everything)) {
    fault = fault_;
    if (fault_count_ > 0 && --fault_count_ == 0) fault_ = Fault::none;
  }
  if (fault == Fault::refuse) return Fault::none;  // Played on the listener, not on requests.
  if (fault != Fault::none) {
    const std::lock_guard lock(mutex_);
    ++counters_.faults;
  }
  return fault;
}

Credential Studio::credential_of(const http::Request& request) const {
  const std::string_view value = request.field("authorization");
  if (value.empty()) return Credential::none;
  const bool own = !options_.api_token.empty() && value == "Bearer " + options_.api_token;
  return own ? Credential::own : Credential::other;
}

std::uint64_t Studio::note(const http::Request& request) {
  SeenRequest entry;
  entry.method = request.method;
  entry.path = std::string(request.path());
  entry.request_id = std::string(request.field("x-request-id"));
  entry.host = std::string(request.field("host"));
  entry.credential = credential_of(request);
  const std::lock_guard lock(mutex_);
  ++counters_.requests;
  seen_.push_back(std::move(entry));
  if (seen_.size() > options_.seen_max) {
    seen_.pop_front();
    ++first_seen_;
  }
  return first_seen_ + seen_.size() - 1;
}

void Studio::note_model(std::uint64_t number, const std::string& model) {
  const std::lock_guard lock(mutex_);
  if (number < first_seen_ || number - first_seen_ >= seen_.size()) return;
  seen_[static_cast<std::size_t>(number - first_seen_)].model = model;
}

std::string Studio::next_id(std::string_view prefix) {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string out(prefix);
  std::uint64_t value = hash_text(out, options_.engine_seed + (++ids_ << 20));
  for (int i = 0; i < 20; ++i) {
    if (i == 12) value = hash_text(out, value + ids_);
    out.push_back(digits[value % digits.size()]);
    value /= digits.size();
  }
  return out;
}

WorkerCounters Studio::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

std::vector<SeenRequest> Studio::seen() const {
  const std::lock_guard lock(mutex_);
  return {seen_.begin(), seen_.end()};
}

void Studio::observe(const Event& event) {
  {
    const std::lock_guard lock(mutex_);
    switch (event.kind) {
      case EventKind::prompt_started:
        counters_.cached_tokens += event.tokens;
        break;
      case EventKind::prompt_progress:
        break;
      case EventKind::first_token:
      case EventKind::tokens:
        counters_.generated_tokens += event.tokens;
        break;
      case EventKind::finished:
        ++counters_.finished;
        break;
      case EventKind::cancelled:
        ++counters_.cancelled;
        break;
    }
  }
  count_load();
}

void Studio::count_load() {
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;
  for (const auto& entry : loaded_) {
    if (!entry.pacer) continue;
    running += entry.pacer->engine().running();
    waiting += entry.pacer->engine().waiting();
  }
  const std::lock_guard lock(mutex_);
  counters_.running = running;
  counters_.waiting = waiting;
  counters_.running_max = std::max(counters_.running_max, running);
  counters_.waiting_max = std::max(counters_.waiting_max, waiting);
}

}  // namespace lmb::sim
