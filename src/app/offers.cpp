#include "offers.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "lmb/protocol/model_name.hpp"

namespace lmb::app {
namespace {

using protocol::ModelCatalogue;
using protocol::ModelEntry;

/// So many of the fleet's names are looked at as spellings of its models: each with each.
constexpr std::size_t fleet_names_max = 4000;

/// So many of a model's spellings are kept: far more than people use.
constexpr std::size_t spellings_max = 64;

/// Which model of a worker each name is its own name of.
class Names {
 public:
  explicit Names(const ModelCatalogue& catalogue) {
    for (const auto& entry : catalogue.models) {
      models_.emplace(entry.id, &entry);
      own(entry.id, entry);
      for (const auto& variant : entry.variants) own(variant, entry);
      for (const auto& instance : entry.instances) own(instance.id, entry);
    }
  }
  /// The entry that `entry` is a further instance of; nullptr when it is a model of its own.
  [[nodiscard]] const ModelEntry* model_of_instance(const ModelEntry& entry) const {
    const auto suffix = protocol::split_model_name(entry.id).instance;
    if (suffix.empty()) return nullptr;
    const auto key = std::string_view(entry.id).substr(0, entry.id.size() - suffix.size() - 1);
    const auto found = models_.find(key);
    return found == models_.end() ? nullptr : found->second;
  }
  /// The name is another model's own.
  [[nodiscard]] bool is_anothers(std::string_view name, const ModelEntry& entry) const {
    const auto found = owners_.find(name);
    return found != owners_.end() && found->second != &entry;
  }

 private:
  void own(std::string_view name, const ModelEntry& entry) {
    const auto [owner, first] = owners_.emplace(name, &entry);
    if (!first && owner->second != &entry) owner->second = nullptr;
  }

  std::map<std::string_view, const ModelEntry*> models_;
  std::map<std::string_view, const ModelEntry*> owners_;  ///< nullptr: of several.
};

void add_instances(const ModelCatalogue& catalogue, const ModelEntry& entry,
                   scheduling::ModelOffer& offer) {
  for (const auto& instance : entry.instances) {
    offer.instances.push_back({instance.id, instance.parallel, instance.context_length});
  }
  if (!catalogue.tells_loaded) offer.instances.push_back({.id = entry.id});
}

std::vector<std::string> spellings_of(const ModelEntry& entry, const Names& names,
                                      const std::set<std::string>& fleet_names) {
  std::set<std::string> spellings;
  const auto add = [&](const std::string& name) {
    // A name that is another model's own on this worker means that one: "m" beside "qwen/m".
    if (spellings.size() < spellings_max && !names.is_anothers(name, entry)) spellings.insert(name);
  };
  for (const auto& name : protocol::spellings_of_model(entry.id, entry.variants)) add(name);
  for (const auto& name : fleet_names) {
    if (name != entry.id && protocol::same_model(name, entry.id)) add(name);
  }
  return {spellings.begin(), spellings.end()};
}

scheduling::Offers offers_of_worker(const ModelCatalogue& catalogue,
                                    const std::set<std::string>& fleet_names) {
  const Names names(catalogue);
  scheduling::Offers offers;
  std::map<const ModelEntry*, std::size_t> places;
  for (const auto& entry : catalogue.models) {
    if (names.model_of_instance(entry) != nullptr) continue;
    scheduling::ModelOffer offer;
    offer.key = entry.id;
    offer.names = entry.variants;
    offer.load_time = entry.load_time;
    const bool embedding = entry.type == "embedding";
    offer.kind = embedding ? scheduling::ModelKind::embedding : scheduling::ModelKind::generating;
    add_instances(catalogue, entry, offer);
    offer.spellings = spellings_of(entry, names, fleet_names);
    places.emplace(&entry, offers.models.size());
    offers.models.push_back(std::move(offer));
  }
  for (const auto& entry : catalogue.models) {
    const auto place = places.find(names.model_of_instance(entry));
    if (place == places.end()) continue;
    add_instances(catalogue, entry, offers.models[place->second]);
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
      if (names.size() >= fleet_names_max) break;
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
