#include <algorithm>
#include <map>

#include "lmb/base/json_string.hpp"
#include "lmb/protocol/model_list.hpp"

namespace lmb::protocol {
namespace {

/// The smaller of two lengths, where 0 means not told.
std::uint64_t smallest_told(std::uint64_t a, std::uint64_t b) noexcept {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

void take_if_empty(std::string& into, const std::string& from) {
  if (into.empty()) into = from;
}

void merge_instance(std::vector<ModelInstance>& into, const ModelInstance& from) {
  const auto same = std::find_if(into.begin(), into.end(),
                                 [&](const ModelInstance& other) { return other.id == from.id; });
  if (same == into.end()) {
    into.push_back(from);
    return;
  }
  // Seen from a client it is one instance with the slots of all.
  same->parallel += from.parallel;
  same->context_length = smallest_told(same->context_length, from.context_length);
}

void merge_entry(ModelEntry& into, const ModelEntry& from) {
  take_if_empty(into.publisher, from.publisher);
  take_if_empty(into.architecture, from.architecture);
  take_if_empty(into.quantization, from.quantization);
  take_if_empty(into.format, from.format);
  // /v1/models tells no type: any other list knows better than its default.
  if (into.type == "llm") into.type = from.type;
  into.max_context_length = smallest_told(into.max_context_length, from.max_context_length);
  for (const std::string& variant : from.variants) {
    const auto& known = into.variants;
    if (std::find(known.begin(), known.end(), variant) == known.end())
      into.variants.push_back(variant);
  }
  for (const ModelInstance& instance : from.instances) merge_instance(into.instances, instance);
}

using Union = std::map<std::string_view, ModelEntry>;

Union unite(const std::vector<ModelCatalogue>& fleet) {
  Union models;
  for (const ModelCatalogue& catalogue : fleet) {
    for (const ModelEntry& entry : catalogue.models) {
      ModelEntry& united = models[entry.id];
      if (united.id.empty()) {
        united.id = entry.id;
        united.type = entry.type;
      }
      merge_entry(united, entry);
    }
  }
  return models;
}

/// Writes the members of one JSON object; absent texts and numbers (empty, 0) are left out.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key);
    append_json_string(out_, value);
  }
  void number(std::string_view key, std::uint64_t value) {
    if (value != 0) json(key, std::to_string(value));
  }
  void json(std::string_view key, std::string_view value) {
    begin(key);
    out_ += value;
  }
  /// Starts a member whose value the caller appends.
  void begin(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, key);
    out_ += ':';
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

/// `[…]` with `append(out, item)` for each item.
template <class List, class Append>
void append_array(std::string& out, const List& list, Append append) {
  out += '[';
  for (bool first = true; const auto& item : list) {
    if (!first) out += ',';
    first = false;
    append(out, item);
  }
  out += ']';
}

void append_openai(std::string& out, const ModelEntry& entry) {
  ObjectWriter object(out);
  object.text("id", entry.id);
  object.text("object", "model");
  object.json("created", "0");  // Unknown, but a required integer in OpenAI's types.
  object.text("owned_by", "organization_owner");
  object.end();
}

void append_v0(std::string& out, const ModelEntry& entry) {
  std::uint64_t loaded_context = 0;
  for (const ModelInstance& instance : entry.instances) {
    loaded_context = smallest_told(loaded_context, instance.context_length);
  }
  ObjectWriter object(out);
  object.text("id", entry.id);
  object.text("object", "model");
  object.text("type", entry.type == "embedding" ? "embeddings" : entry.type);
  object.text("publisher", entry.publisher);
  object.text("arch", entry.architecture);
  object.text("compatibility_type", entry.format);
  object.text("quantization", entry.quantization);
  object.text("state", entry.instances.empty() ? "not-loaded" : "loaded");
  object.number("max_context_length", entry.max_context_length);
  object.number("loaded_context_length", loaded_context);
  object.end();
}

void append_instance(std::string& out, const ModelInstance& instance) {
  ObjectWriter object(out);
  object.text("id", instance.id);
  object.begin("config");
  ObjectWriter config(out);
  config.number("context_length", instance.context_length);
  config.number("parallel", instance.parallel);
  config.end();
  object.end();
}

void append_v1(std::string& out, const ModelEntry& entry) {
  const bool embedding = entry.type == "embedding";
  ObjectWriter object(out);
  object.text("type", embedding ? "embedding" : "llm");
  object.text("publisher", entry.publisher);
  object.text("key", entry.id);
  object.text("display_name", entry.id);
  object.text("architecture", entry.architecture);
  object.begin("quantization");
  if (entry.quantization.empty()) {
    out += "null";
  } else {
    ObjectWriter quantization(out);
    quantization.text("name", entry.quantization);
    quantization.end();
  }
  object.begin("loaded_instances");
  append_array(out, entry.instances, append_instance);
  object.number("max_context_length", entry.max_context_length);
  object.begin("format");
  if (entry.format.empty()) {
    out += "null";
  } else {
    append_json_string(out, entry.format);
  }
  if (!embedding) {
    object.json("capabilities", entry.type == "vlm" ? R"({"vision":true})" : R"({"vision":false})");
  }
  if (!entry.variants.empty()) {
    object.begin("variants");
    append_array(out, entry.variants, append_json_string);
  }
  object.end();
}

using AppendEntry = void (*)(std::string&, const ModelEntry&);

std::string render_list(const std::vector<ModelCatalogue>& fleet, std::string_view begin,
                        AppendEntry append) {
  std::string out(begin);
  append_array(out, unite(fleet),
               [append](std::string& to, const auto& item) { append(to, item.second); });
  out += '}';
  return out;
}

/// The entry with this id, else the first one that a request may call by this name.
std::string render_one(const std::vector<ModelCatalogue>& fleet, std::string_view name,
                       AppendEntry append) {
  const Union models = unite(fleet);
  auto found = models.find(name);
  if (found == models.end()) {
    found = std::find_if(models.begin(), models.end(),
                         [name](const auto& item) { return names_model(item.second, name); });
  }
  std::string out;
  if (found != models.end()) append(out, found->second);
  return out;
}

constexpr std::string_view data_list = R"({"object":"list","data":)";

}  // namespace

std::string render_openai_models(const std::vector<ModelCatalogue>& fleet) {
  return render_list(fleet, data_list, append_openai);
}

std::string render_lmstudio_v0_models(const std::vector<ModelCatalogue>& fleet) {
  return render_list(fleet, data_list, append_v0);
}

std::string render_lmstudio_v1_models(const std::vector<ModelCatalogue>& fleet) {
  return render_list(fleet, R"({"models":)", append_v1);
}

std::string render_openai_model(const std::vector<ModelCatalogue>& fleet, std::string_view id) {
  return render_one(fleet, id, append_openai);
}

std::string render_lmstudio_v0_model(const std::vector<ModelCatalogue>& fleet,
                                     std::string_view id) {
  return render_one(fleet, id, append_v0);
}

}  // namespace lmb::protocol
