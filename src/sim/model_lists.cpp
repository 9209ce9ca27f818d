#include "model_lists.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace lmb::sim {
namespace {

using ordered = nlohmann::ordered_json;

constexpr int indent = 2;

/// A line of the lists that know models and instances by one name.
struct Row {
  std::string id;
  const ModelFacts* facts = nullptr;
  const ListedInstance* instance = nullptr;  ///< Null when not loaded.
};

std::vector<Row> rows_of(const std::vector<ListedModel>& models) {
  std::vector<Row> out;
  for (const auto& model : models) {
    const auto first = std::ranges::find(model.instances, model.facts->key, &ListedInstance::id);
    const bool has_first = first != model.instances.end();
    // A model of which only key:2 is left is still there under its key, and loaded.
    const ListedInstance* any = model.instances.empty() ? nullptr : &model.instances.front();
    out.push_back({model.facts->key, model.facts, has_first ? &*first : any});
    for (const auto& instance : model.instances) {
      if (instance.id != model.facts->key) out.push_back({instance.id, model.facts, &instance});
    }
  }
  return out;
}

ordered v0_entry(const Row& row, bool capabilities) {
  const ModelFacts& model = *row.facts;
  ordered out = {{"id", row.id},
                 {"object", "model"},
                 {"type", model.embedding ? "embeddings" : "llm"},
                 {"publisher", model.publisher},
                 {"arch", model.architecture},
                 {"compatibility_type", model.format},
                 {"quantization", model.quantization},
                 {"state", row.instance != nullptr ? "loaded" : "not-loaded"},
                 {"max_context_length", model.max_context_length}};
  if (row.instance != nullptr) out["loaded_context_length"] = row.instance->context_length;
  if (!model.embedding && capabilities) out["capabilities"] = ordered::array({"tool_use"});
  return out;
}

ordered v1_instances(const ListedModel& listed) {
  ordered out = ordered::array();
  for (const auto& instance : listed.instances) {
    ordered config = {{"context_length", instance.context_length}};
    if (!listed.facts->embedding) {
      config["eval_batch_size"] = 512;
      config["parallel"] = instance.parallel;
      config["flash_attention"] = true;
      config["offload_kv_cache_to_gpu"] = true;
    }
    const ordered entry = {{"id", instance.id}, {"config", config}};
    out.push_back(entry);
  }
  return out;
}

ordered v1_entry(const ListedModel& listed) {
  const ModelFacts& model = *listed.facts;
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
  out["loaded_instances"] = v1_instances(listed);
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

std::string openai_list(const std::vector<ListedModel>& models) {
  ordered data = ordered::array();
  for (const auto& row : rows_of(models)) {
    const ordered entry = {{"id", row.id}, {"object", "model"}, {"owned_by", "organization_owner"}};
    data.push_back(entry);
  }
  ordered out;
  out["data"] = std::move(data);
  out["object"] = "list";
  return out.dump(indent);
}

std::string v0_list(const std::vector<ListedModel>& models, bool capabilities) {
  ordered out;
  out["object"] = "list";
  out["data"] = ordered::array();
  for (const auto& row : rows_of(models)) out["data"].push_back(v0_entry(row, capabilities));
  return out.dump(indent);
}

std::optional<std::string> v0_model(const std::vector<ListedModel>& models, std::string_view id,
                                    bool capabilities) {
  for (const auto& row : rows_of(models)) {
    if (row.id == id) return v0_entry(row, capabilities).dump(indent);
  }
  return std::nullopt;
}

std::string v1_list(const std::vector<ListedModel>& models) {
  ordered out;
  out["models"] = ordered::array();
  for (const auto& model : models) out["models"].push_back(v1_entry(model));
  return out.dump(indent);
}

}  // namespace lmb::sim
