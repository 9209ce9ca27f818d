#include "model_table.hpp"

#include <algorithm>
#include <tuple>

#include "lmb/base/assert.hpp"

namespace lmb::scheduling {

Offering ModelTable::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? Offering{} : find(found->second);
}

Offering ModelTable::find(ModelId model) const {
  const Model& entry = models_[model.value()];
  return {entry.listed, entry.places};
}

void ModelTable::set_offers(WorkerId id, const Worker& worker) {
  std::vector<ModelId> before;
  for (const auto& [name, model] : ids_) {
    Model& entry = models_[model.value()];
    if (entry.listed.contains(id)) {
      entry.listed.erase(id);
      std::erase_if(entry.places, [id](const Place& place) { return place.worker == id; });
      before.push_back(model);
    }
  }
  for (const ModelOffer& model : worker.offers.models) {
    for (std::uint32_t i = 0; i < worker.instances.size(); ++i) {
      const Instance& instance = worker.instances[i];
      if (!instance.listed || instance.model != model.key) {
        continue;
      }
      add_names(model, instance, {id, InstanceId(i)});
    }
  }
  for (const ModelId model : before) {
    erase_unused(model);
  }
}

void ModelTable::add_names(const ModelOffer& model, const Instance& instance, Place place) {
  const std::string& id = *instance.id;
  const bool ambiguous = instance.loaded && (instance.shares_model || id != model.key);
  add(id, place);
  place.rename = ambiguous;
  add(model.key, place);
  for (const std::string& name : model.names) {
    add(name, place);
  }
  place.rename = true;
  for (const std::string& spelling : model.spellings) {
    add(spelling, place);
  }
}

void ModelTable::add(std::string_view name, Place place) {
  if (name.empty()) {
    return;
  }
  const auto found = ids_.find(name);
  const ModelId id = found == ids_.end() ? insert(name) : found->second;
  Model& entry = models_[id.value()];
  entry.listed.insert(place.worker);
  const auto less = [](const Place& a, const Place& b) {
    return std::tie(a.worker, a.instance) < std::tie(b.worker, b.instance);
  };
  // A name may come twice, as an instance is mostly called like its model: the first counts.
  const auto at = std::lower_bound(entry.places.begin(), entry.places.end(), place, less);
  if (at == entry.places.end() || less(place, *at)) {
    entry.places.insert(at, place);
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
  return sum;
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
  if (entry.waiting == 0 && entry.listed.empty()) {
    ids_.erase(entry.name);
    entry = Model{};
    vacant_.push_back(model);
  }
}

}  // namespace lmb::scheduling
