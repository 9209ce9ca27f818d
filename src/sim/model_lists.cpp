#include "model_lists.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

constexpr int indent = 2;

ordered v0_entry(const ModelOptions& options) {
  const ModelFacts& model = options.preset.model;
  ordered out = {{"id", model.key},
                 {"object", "model"},
                 {"type", model.embedding ? "embeddings" : "llm"},
                 {"publisher", model.publisher},
                 {"arch", model.architecture},
                 {"compatibility_type", model.format},
                 {"quantization", model.quantization},
                 {"state", options.loaded ? "loaded" : "not-loaded"},
                 {"max_context_length", model.max_context_length}};
  if (options.loaded) out["loaded_context_length"] = model.context_length;
  if (!model.embedding) out["capabilities"] = ordered::array({"tool_use"});
  return out;
}

ordered v1_instances(const ModelOptions& options) {
  const ModelFacts& model = options.preset.model;
  ordered out = ordered::array();
  if (!options.loaded) return out;
  ordered config = {{"context_length", model.context_length}};
  if (!model.embedding) {
    config["eval_batch_size"] = 512;
    config["parallel"] = slots_of(options);
    config["flash_attention"] = true;
    config["offload_kv_cache_to_gpu"] = true;
  }
  const ordered instance = {{"id", model.key}, {"config", config}};
  out.push_back(instance);
  return out;
}

ordered v1_entry(const ModelOptions& options) {
  const ModelFacts& model = options.preset.model;
  ordered out;
  out["type"] = model.embedding ? "embedding" : "llm";
  out["publisher"] = model.publisher;
  out["key"] = model.key;
  out["display_name"] = model.display_name;
  if (!model.embedding) out["architecture"] = model.architecture;
  out["quantization"]["name"] = model.quantization;
  out["quantization"]["bits_per_weight"] = model.bits_per_weight;
  out["size_bytes"] = model.size_bytes;
  out["params_string"] = model.params.empty() ? ordered() : ordered(model.params);
  out["loaded_instances"] = v1_instances(options);
  out["max_context_length"] = model.max_context_length;
  out["format"] = model.format;
  if (!model.embedding) {
    out["capabilities"]["vision"] = false;
    out["capabilities"]["trained_for_tool_use"] = true;
  }
  out["description"] = nullptr;
  if (!model.embedding) {
    out["variants"] = ordered::array({variant_of(model)});
    out["selected_variant"] = variant_of(model);
  }
  return out;
}

}  // namespace

std::uint32_t slots_of(const ModelOptions& model) {
  if (model.parallel != 0) return model.parallel;
  return std::visit([](const auto& physics) { return physics.parallel; }, model.preset.physics);
}

std::string variant_of(const ModelFacts& model) {
  std::string out = model.key + "@" + model.quantization;
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string openai_list(std::span<const ModelOptions> models) {
  ordered data = ordered::array();
  for (const auto& model : models) {
    const ordered entry = {
        {"id", model.preset.model.key}, {"object", "model"}, {"owned_by", "organization_owner"}};
    data.push_back(entry);
  }
  ordered out;
  out["data"] = std::move(data);
  out["object"] = "list";
  return out.dump(indent);
}

std::string v0_list(std::span<const ModelOptions> models) {
  ordered out;
  out["object"] = "list";
  out["data"] = ordered::array();
  for (const auto& model : models) out["data"].push_back(v0_entry(model));
  return out.dump(indent);
}

std::string v0_model(const ModelOptions& model) {
  return v0_entry(model).dump(indent);
}

std::string v1_list(std::span<const ModelOptions> models) {
  ordered out;
  out["models"] = ordered::array();
  for (const auto& model : models) out["models"].push_back(v1_entry(model));
  return out.dump(indent);
}

}  // namespace lmb::sim
