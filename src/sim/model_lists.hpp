#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lmb/sim/options.hpp"

namespace lmb::sim {

/// A model's loaded instance has the model's key as its id; its slots are `slots_of`.
std::uint32_t slots_of(const ModelOptions& model);
/// "key@quantization" in lower case, another name for the model.
std::string variant_of(const ModelFacts& model);

// Pretty-printed, as LM Studio does.
std::string openai_list(std::span<const ModelOptions> models);  ///< GET /v1/models
std::string v0_list(std::span<const ModelOptions> models);      ///< GET /api/v0/models
std::string v0_model(const ModelOptions& model);                ///< GET /api/v0/models/{id}
std::string v1_list(std::span<const ModelOptions> models);      ///< GET /api/v1/models

}  // namespace lmb::sim
