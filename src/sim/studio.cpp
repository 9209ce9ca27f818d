#include "studio.hpp"

#include <utility>

#include "lmb/base/assert.hpp"
#include "text.hpp"
#include "version_facts.hpp"

namespace lmb::sim {
namespace {

std::vector<ModelOptions> models_of(const WorkerOptions& options) {
  std::vector<ModelOptions> out = options.models;
  if (out.empty()) out.push_back(ModelOptions{*find_preset(default_preset), 0, true});
  out.push_back(ModelOptions{embedding_preset(), 0, true});
  return out;
}

}  // namespace

Studio::Studio(const boost::asio::any_io_executor& executor, const WorkerOptions& options)
    : options_(options),
      models_(models_of(options)),
      ledger_(options.seen_max),
      instances_(executor, options_, models_, ledger_),
      responses_(options.responses_max) {
  LMB_ASSERT(options_.speed > 0);
}

std::optional<std::size_t> Studio::find_model(std::string_view name) const {
  for (std::size_t i = 0; i < models_.size(); ++i) {
    const ModelFacts& model = models_[i].preset.model;
    if (model.key == name || variant_of(model) == name) return i;
  }
  return std::nullopt;
}

bool Studio::is_kind(std::size_t model, bool embedding) const {
  return models_[model].preset.model.embedding == embedding;
}

std::variant<Claim, Problem> Studio::claim(const ModelWish& wish) {
  if (auto instance = find_instance(wish)) return Claim(instances_, std::move(instance), false);
  const auto model = find_model(wish.name);
  if (!options_.jit || !model || !is_kind(*model, wish.embedding)) return no_such_model(wish);
  LoadWish load;
  load.origin = Origin::just_in_time;
  load.ttl = wish.ttl;
  load.context_length = wish.context_length;
  auto begun = instances_.load(*model, load);
  if (auto* problem = std::get_if<Problem>(&begun)) return std::move(*problem);
  return Claim(instances_, std::get<std::shared_ptr<Instance>>(std::move(begun)), true);
}

std::shared_ptr<Instance> Studio::find_instance(const ModelWish& wish) {
  const auto model = find_model(wish.name);
  if (model && is_kind(*model, wish.embedding)) return instances_.find(*model);
  auto named = instances_.find_id(wish.name);
  if (named && named->facts.embedding == wish.embedding) return named;
  if (model || wish.embedding || !any_name_answers(options_.version)) return nullptr;
  std::shared_ptr<Instance> only;
  for (const auto& [number, instance] : instances_.all()) {
    if (!instance->loaded || instance->facts.embedding) continue;
    if (only) return nullptr;
    only = instance;
  }
  return only;
}

Problem Studio::no_such_model(const ModelWish& wish) const {
  std::vector<std::string> known;
  bool any_loaded = false;
  for (const auto& listed : listed(!options_.jit)) {
    known.push_back(listed.facts->key);
    const bool same_kind = listed.facts->embedding == wish.embedding;
    if (same_kind && !listed.instances.empty()) any_loaded = true;
  }
  if (!options_.jit && !any_loaded) return no_models_loaded();
  return unknown_model(wish.name, known);
}

std::vector<ListedModel> Studio::listed(bool loaded_only) const {
  std::vector<ListedModel> out;
  for (const auto& model : models_) {
    ListedModel entry;
    entry.facts = &model.preset.model;
    for (const auto& [number, instance] : instances_.all()) {
      if (instance->model != &model || !instance->loaded) continue;
      entry.instances.push_back({instance->id, instance->facts.context_length, instance->parallel});
    }
    if (!loaded_only || !entry.instances.empty()) out.push_back(std::move(entry));
  }
  return out;
}

std::vector<std::shared_ptr<Instance>> Studio::instances_of(std::string_view model) const {
  const auto wanted = find_model(model);
  std::vector<std::shared_ptr<Instance>> out;
  for (const auto& [number, instance] : instances_.all()) {
    const bool named = wanted && instance->model == &models_[*wanted];
    if (model.empty() || named) out.push_back(instance);
  }
  return out;
}

void Studio::leave(Instance& instance, const Progress& progress) {
  if (options_.zombie) {
    if (!progress.finished && !progress.cancelled) ledger_.note_zombie();
    return;
  }
  instances_.cancel(instance, progress.job);
}

Credential Studio::credential_of(const http::Request& request) const {
  std::string_view value = request.field("authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (value.empty() && request.path() == "/v1/messages") {
    value = request.field("x-api-key");  // As Anthropic's clients send it.
  } else if (value.starts_with(scheme)) {
    value.remove_prefix(scheme.size());
  } else if (!value.empty()) {
    return Credential::other;
  }
  if (value.empty()) return Credential::none;
  return !options_.api_token.empty() && value == options_.api_token ? Credential::own
                                                                    : Credential::other;
}

std::uint64_t Studio::note(const http::Request& request) {
  SeenRequest entry;
  entry.method = request.method;
  entry.path = std::string(request.path());
  entry.request_id = std::string(request.field("x-request-id"));
  entry.host = std::string(request.field("host"));
  entry.credential = credential_of(request);
  return ledger_.note(std::move(entry));
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

}  // namespace lmb::sim
