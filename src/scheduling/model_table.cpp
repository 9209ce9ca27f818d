#include "model_table.hpp"

#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {

ModelTable::ModelTable(WorkerSet all_workers) {
  const ModelId any = retain("");
  models_[any.value()].offering.listed = all_workers;
}

Offering ModelTable::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? Offering{} : find(found->second);
}

Offering ModelTable::find(ModelId model) const {
  return models_[model.value()].offering;
}

void ModelTable::set_offers(WorkerId worker, const std::vector<ModelOffer>& models) {
  std::vector<ModelId> before;
  for (const auto& [name, id] : ids_) {
    Offering& offering = models_[id.value()].offering;
    if (!name.empty() && offering.listed.contains(worker)) {
      offering.listed.erase(worker);
      offering.loaded.erase(worker);
      before.push_back(id);
    }
  }
  for (const ModelOffer& model : models) {
    if (model.name.empty()) {
      continue;
    }
    const auto found = ids_.find(model.name);
    const ModelId id = found == ids_.end() ? insert(model.name) : found->second;
    Offering& offering = models_[id.value()].offering;
    offering.listed.insert(worker);
    // One name may come twice, as a model on disk and as a loaded instance of it.
    if (model.loaded) {
      offering.loaded.insert(worker);
    }
  }
  for (const ModelId id : before) {
    erase_unused(id);
  }
}

ModelId ModelTable::retain(std::string_view name) {
  const auto found = ids_.find(name);
  const ModelId id = found == ids_.end() ? insert(name) : found->second;
  ++models_[id.value()].waiting;
  return id;
}

void ModelTable::release(ModelId model) {
  LMB_ASSERT(models_[model.value()].waiting > 0);
  --models_[model.value()].waiting;
  erase_unused(model);
}

std::size_t ModelTable::waiting() const noexcept {
  std::size_t sum = 0;
  for (const Model& model : models_) {
    sum += model.waiting;
  }
  return sum - 1;  // The empty name is retained for good, by the constructor.
}

ModelId ModelTable::insert(std::string_view name) {
  ModelId id(static_cast<std::uint32_t>(models_.size()));
  if (vacant_.empty()) {
    models_.emplace_back();
  } else {
    id = vacant_.back();
    vacant_.pop_back();
  }
  models_[id.value()].name = name;
  ids_.emplace(std::string(name), id);
  return id;
}

void ModelTable::erase_unused(ModelId model) {
  Model& entry = models_[model.value()];
  if (entry.waiting == 0 && entry.offering.listed.empty()) {
    ids_.erase(entry.name);
    entry = Model{};
    vacant_.push_back(model);
  }
}

}  // namespace lmb::scheduling
