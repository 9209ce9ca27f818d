// Model lists of workers: what is taken can be written and read again.
#include <string>
#include <vector>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/model_list.hpp"
#include "lmb/protocol/model_name.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const auto catalogue = protocol::parse_model_list(input.rest());
  if (!catalogue) return 0;
  const std::vector<protocol::ModelCatalogue> fleet{*catalogue};
  for (const auto& page :
       {protocol::render_openai_models(fleet), protocol::render_lmstudio_v0_models(fleet),
        protocol::render_lmstudio_v1_models(fleet)}) {
    const auto again = protocol::parse_model_list(page);
    LMB_ASSERT(again.has_value());
    LMB_ASSERT(again->models.size() <= catalogue->models.size());
  }
  for (const auto& model : catalogue->models) {
    LMB_ASSERT(protocol::names_model(model, model.id));
    LMB_ASSERT(!protocol::render_openai_model(fleet, model.id).empty());
  }
  return 0;
}
