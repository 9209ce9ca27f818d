#include "offers.hpp"

namespace lmb::app {

scheduling::Offers offers_of(const protocol::ModelCatalogue& catalogue) {
  scheduling::Offers offers;
  std::uint32_t slots = 0;
  bool slots_told = false;
  for (const auto& model : catalogue.models) {
    const bool loaded = !model.instances.empty();
    offers.models.push_back({model.id, loaded});
    for (const auto& variant : model.variants) {
      if (variant != model.id) offers.models.push_back({variant, loaded});
    }
    for (const auto& instance : model.instances) {
      if (instance.id != model.id) offers.models.push_back({instance.id, true});
      if (instance.parallel == 0 && model.type != "embedding") continue;
      slots += instance.parallel == 0 ? 1 : instance.parallel;
      slots_told = slots_told || instance.parallel > 0;
    }
  }
  if (slots_told) offers.slots = slots;
  return offers;
}

}  // namespace lmb::app
