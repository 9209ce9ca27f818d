#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/sim/options.hpp"

namespace lmb::sim {

/// A loaded instance, as the lists tell it.
struct ListedInstance {
  std::string id;
  std::uint64_t context_length = 0;
  std::uint32_t parallel = 0;
};

/// A model on disk and its loaded instances.
struct ListedModel {
  const ModelFacts* facts = nullptr;
  std::vector<ListedInstance> instances;
};

/// The slots that a model's options or preset give it.
std::uint32_t slots_of(const ModelOptions& model);
/// "key@quantization" in lower case, another name for the model.
std::string variant_of(const ModelFacts& model);

// Pretty-printed, as LM Studio does. In the first three a second instance of a model is an entry of
// its own, with the instance's id.
std::string openai_list(const std::vector<ListedModel>& models);  ///< GET /v1/models
/// GET /api/v0/models; `capabilities`: from 0.3.16 on.
std::string v0_list(const std::vector<ListedModel>& models, bool capabilities);
/// GET /api/v0/models/{id}, by key or instance id.
std::optional<std::string> v0_model(const std::vector<ListedModel>& models, std::string_view id,
                                    bool capabilities);
std::string v1_list(const std::vector<ListedModel>& models);  ///< GET /api/v1/models

}  // namespace lmb::sim
