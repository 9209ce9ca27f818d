#include "lmb/protocol/model_list.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "json_document.hpp"

namespace lmb::protocol {
namespace {

void assign_number(JsonValue& value, std::uint64_t& out) {
  std::uint64_t number = 0;
  if (value.get_uint64().get(number) == simdjson::SUCCESS) out = number;
}

bool read_config(JsonValue& value, ModelInstance& instance) {
  return each_member(value, [&instance](std::string_view key, JsonValue& part) {
    if (key == "context_length") assign_number(part, instance.context_length);
    if (key == "parallel") {
      std::uint64_t slots = 0;
      assign_number(part, slots);
      // A number that no machine can mean counts as not told.
      const bool sane = slots <= std::numeric_limits<std::uint16_t>::max();
      instance.parallel = sane ? static_cast<std::uint32_t>(slots) : 0;
    }
    return true;
  });
}

void read_load_time(JsonValue& value, std::optional<Duration>& longest) {
  double seconds = 0;
  const bool read = value.get_double().get(seconds) == simdjson::SUCCESS;
  if (!read || seconds < 0 || seconds > 3600) return;
  const auto time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  longest = std::max(longest.value_or(time), time);
}

bool read_instances(JsonValue& list, ModelEntry& entry) {
  return each_element(list, [&entry](JsonValue& element) {
    if (json_kind(element) != '{') return true;
    ModelInstance instance;
    const bool read = each_member(element, [&](std::string_view key, JsonValue& value) {
      if (key == "id") return assign_text(value, instance.id);
      if (key == "load_time_seconds") read_load_time(value, entry.load_time);
      return key != "config" || read_config(value, instance);
    });
    entry.instances.push_back(std::move(instance));
    return read;
  });
}

/// Reads one element of any of the three lists: their members do not contradict each other.
class EntryReader {
 public:
  bool member(std::string_view key, JsonValue& value) {
    if (key == "key" || key == "id") return assign_text(value, entry_.id);
    if (key == "type") return assign_text(value, entry_.type);
    if (key == "publisher") return assign_text(value, entry_.publisher);
    if (key == "architecture" || key == "arch") return assign_text(value, entry_.architecture);
    if (key == "format" || key == "compatibility_type") return assign_text(value, entry_.format);
    if (key == "state") return read_state(value);
    if (key == "quantization") return read_quantization(value);
    if (key == "capabilities") return read_capabilities(value);
    if (key == "variants") return read_variants(value);
    if (key == "loaded_instances") return read_instances(value, entry_);
    if (key == "max_context_length") assign_number(value, entry_.max_context_length);
    if (key == "loaded_context_length") assign_number(value, loaded_context_length_);
    return true;
  }

  /// True when the element had a `state`, as only /api/v0/models gives it.
  [[nodiscard]] bool tells_state() const noexcept { return !state_.empty(); }

  ModelEntry finish() && {
    if (entry_.type == "embeddings") entry_.type = "embedding";
    if (entry_.type == "llm" && vision_) entry_.type = "vlm";
    if (state_ == "loaded") entry_.instances.push_back({entry_.id, 0, loaded_context_length_});
    for (ModelInstance& instance : entry_.instances) {
      if (instance.id.empty()) instance.id = entry_.id;
    }
    return std::move(entry_);
  }

 private:
  bool read_state(JsonValue& value) { return assign_text(value, state_); }

  bool read_quantization(JsonValue& value) {
    if (json_kind(value) == '"') return assign_text(value, entry_.quantization);
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      return key != "name" || assign_text(part, entry_.quantization);
    });
  }

  // An object in /api/v1/models; an array in /api/v0/models, which tells of vision by its type.
  bool read_capabilities(JsonValue& value) {
    return each_member(value, [this](std::string_view key, JsonValue& part) {
      bool flag = false;
      if (key == "vision" && part.get_bool().get(flag) == simdjson::SUCCESS) vision_ = flag;
      return true;
    });
  }

  bool read_variants(JsonValue& value) {
    return each_element(value, [this](JsonValue& part) {
      std::string variant;
      const bool read = assign_text(part, variant);
      const bool room = entry_.variants.size() < listed_instances_max;
      if (!variant.empty() && room) entry_.variants.push_back(std::move(variant));
      return read;
    });
  }

  ModelEntry entry_;
  std::string state_;
  std::uint64_t loaded_context_length_ = 0;
  bool vision_ = false;
};

/// Reads the whole answer.
class ListReader {
 public:
  bool member(std::string_view key, JsonValue& value) {
    if (key == "error" && json_kind(value) != 'n') {
      has_error_ = true;
      return assign_text(value, error_);
    }
    if (key == "models" && json_kind(value) == '[') {
      // An answer with both lists (some servers add `data` for other clients) is read by this one.
      has_models_ = true;
      catalogue_ = {};
      names_ = 0;
      return read_list(value);
    }
    if (key != "data" || json_kind(value) != '[' || has_models_) return true;
    has_data_ = true;
    catalogue_.tells_loaded = false;
    return read_list(value);
  }

  Result<ModelCatalogue> finish() && {
    if (error_.starts_with("Unexpected endpoint or method")) return ErrorKind::route_unsupported;
    if (has_error_) return Error(ErrorKind::bad_response, "the model list is an error");
    if (!has_models_ && !has_data_) {
      return Error(ErrorKind::bad_response, "the model list has neither models nor data");
    }
    return std::move(catalogue_);
  }

 private:
  bool read_list(JsonValue& list) {
    return each_element(list, [this](JsonValue& element) {
      if (json_kind(element) != '{') return true;
      EntryReader reader;
      const bool read = each_member(element, [&reader](std::string_view key, JsonValue& value) {
        return reader.member(key, value);
      });
      if (reader.tells_state()) catalogue_.tells_loaded = true;
      add(std::move(reader).finish());
      return read;
    });
  }

  void add(ModelEntry entry) {
    if (entry.id.empty()) return;
    auto& models = catalogue_.models;
    auto same = std::find_if(models.begin(), models.end(),
                             [&](const ModelEntry& other) { return other.id == entry.id; });
    if (same == models.end()) {
      const auto names = 1 + entry.variants.size();
      if (models.size() >= listed_models_max || names_ + names > listed_names_max) return;
      names_ += names;
      same = models.insert(same, std::move(entry));
    } else {
      same->instances.insert(same->instances.end(), entry.instances.begin(), entry.instances.end());
    }
    if (same->instances.size() > listed_instances_max) same->instances.resize(listed_instances_max);
  }

  ModelCatalogue catalogue_;
  std::size_t names_ = 0;
  std::string error_;
  bool has_error_ = false;
  bool has_models_ = false;
  bool has_data_ = false;
};

}  // namespace

Result<ModelCatalogue> parse_model_list(std::string_view body) {
  ListReader reader;
  const JsonCheck check = read_json_object(
      padded_copy(body),
      [&reader](std::string_view key, JsonValue& value) { return reader.member(key, value); });
  if (!check.ok()) return Error(ErrorKind::bad_response, "the model list is not a JSON object");
  return std::move(reader).finish();
}

bool names_model(const ModelEntry& entry, std::string_view name) noexcept {
  const auto is_name = [name](const std::string& other) { return other == name; };
  return is_name(entry.id) || std::any_of(entry.variants.begin(), entry.variants.end(), is_name) ||
         std::any_of(entry.instances.begin(), entry.instances.end(),
                     [&](const ModelInstance& instance) { return is_name(instance.id); });
}

}  // namespace lmb::protocol
