#include "offers.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "lmb/protocol/model_name.hpp"

namespace lmb::app {
namespace {

using protocol::ModelCatalogue;
using protocol::ModelEntry;

/// The entry that `entry` is a further instance of; nullptr when it is a model of its own.
const ModelEntry* model_of_instance(const ModelCatalogue& catalogue, const ModelEntry& entry) {
  const auto suffix = protocol::split_model_name(entry.id).instance;
  if (suffix.empty()) return nullptr;
  const auto key = std::string_view(entry.id).substr(0, entry.id.size() - suffix.size() - 1);
  const auto found = std::find_if(catalogue.models.begin(), catalogue.models.end(),
                                  [key](const ModelEntry& other) { return other.id == key; });
  return found == catalogue.models.end() ? nullptr : &*found;
}

void add_instances(const ModelCatalogue& catalogue, const ModelEntry& entry,
                   scheduling::ModelOffer& offer) {
  for (const auto& instance : entry.instances) {
    offer.instances.push_back({instance.id, instance.parallel, instance.context_length});
  }
  if (!catalogue.tells_loaded) offer.instances.push_back({.id = entry.id});
}

scheduling::ModelOffer offer_of(const ModelCatalogue& catalogue, const ModelEntry& entry,
                                const std::set<std::string>& fleet_names) {
  scheduling::ModelOffer offer;
  offer.key = entry.id;
  offer.names = entry.variants;
  offer.load_time = entry.load_time;
  const bool embedding = entry.type == "embedding";
  offer.kind = embedding ? scheduling::ModelKind::embedding : scheduling::ModelKind::generating;
  add_instances(catalogue, entry, offer);
  for (const auto& other : catalogue.models) {
    if (model_of_instance(catalogue, other) == &entry) add_instances(catalogue, other, offer);
  }
  std::set<std::string> spellings;
  for (auto& name : protocol::spellings_of_model(entry.id, entry.variants)) {
    spellings.insert(std::move(name));
  }
  for (const auto& name : fleet_names) {
    if (name != entry.id && protocol::same_model(name, entry.id)) spellings.insert(name);
  }
  // A name that is another model's own on this worker means that one: "m" beside "qwen/m".
  std::erase_if(spellings, [&](const std::string& spelling) {
    return std::any_of(catalogue.models.begin(), catalogue.models.end(),
                       [&](const ModelEntry& other) {
                         return &other != &entry && protocol::names_model(other, spelling);
                       });
  });
  offer.spellings.assign(spellings.begin(), spellings.end());
  return offer;
}

scheduling::Offers offers_of_worker(const ModelCatalogue& catalogue,
                                    const std::set<std::string>& fleet_names) {
  scheduling::Offers offers;
  for (const auto& entry : catalogue.models) {
    if (model_of_instance(catalogue, entry) != nullptr) continue;
    offers.models.push_back(offer_of(catalogue, entry, fleet_names));
  }
  return offers;
}

}  // namespace

std::vector<std::optional<scheduling::Offers>> offers_of(
    const std::vector<std::optional<ModelCatalogue>>& fleet) {
  std::set<std::string> names;
  for (const auto& catalogue : fleet) {
    if (!catalogue) continue;
    for (const auto& entry : catalogue->models) {
      names.insert(entry.id);
      names.insert(entry.variants.begin(), entry.variants.end());
    }
  }
  std::vector<std::optional<scheduling::Offers>> offers;
  for (const auto& catalogue : fleet) {
    auto& each = offers.emplace_back();
    if (catalogue) each = offers_of_worker(*catalogue, names);
  }
  return offers;
}

}  // namespace lmb::app
