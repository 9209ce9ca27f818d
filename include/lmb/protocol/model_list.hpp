#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"

namespace lmb::protocol {

/// One loaded instance of a model on one worker.
struct ModelInstance {
  std::string id;                    ///< What a request may name, e.g. "m" or "m:2".
  std::uint32_t parallel = 0;        ///< Slots; 0 = not told (embeddings, before 0.4.0).
  std::uint64_t context_length = 0;  ///< 0 = not told.
  bool operator==(const ModelInstance&) const = default;
};

/// One model that a worker lists.
struct ModelEntry {
  std::string id;            ///< `key` of /api/v1/models, `id` of the other lists.
  std::string type = "llm";  ///< llm, vlm or embedding (embeddings is folded into it).
  std::string publisher;
  std::string architecture;
  std::string quantization;
  std::string format;  ///< gguf, mlx or empty.
  std::uint64_t max_context_length = 0;
  std::vector<std::string> variants;  ///< e.g. "m@4bit"; a request may name them too.
  std::vector<ModelInstance>
      instances;  ///< Empty = on disk, or not told (see ModelCatalogue::tells_loaded).
  /// The longest load_time_seconds of its instances, where a version tells it; under an hour.
  std::optional<Duration> load_time;
  bool operator==(const ModelEntry&) const = default;
};

/// What one worker told of its models.
struct ModelCatalogue {
  bool tells_loaded = true;  ///< False for /v1/models: whether a model is loaded is unknown.
  std::vector<ModelEntry> models;
  bool operator==(const ModelCatalogue&) const = default;
};

/// What is kept of a list: far more than a Mac has, and no more than can be compared in a moment.
/// The rest of a longer one is passed over.
inline constexpr std::size_t listed_models_max = 1000;
inline constexpr std::size_t listed_names_max = 2000;    ///< Of models and variants together.
inline constexpr std::size_t listed_instances_max = 64;  ///< Of one model; of its variants too.

/// Parses the answer of GET /api/v1/models, /api/v0/models or /v1/models, whichever it is (told by
/// its shape). Unknown members are ignored, missing ones tolerated. Errors: bad_response, also for
/// LM Studio's 200 `{"error":"Unexpected endpoint or method…"}` (then route_unsupported).
Result<ModelCatalogue> parse_model_list(std::string_view body);

/// Renders the union over the fleet, sorted by id, loaded if loaded anywhere, context length the
/// smallest loaded. One function per list that we serve; compact JSON.
std::string render_openai_models(const std::vector<ModelCatalogue>& fleet);  ///< GET /v1/models
std::string render_lmstudio_v0_models(
    const std::vector<ModelCatalogue>& fleet);  ///< GET /api/v0/models
std::string render_lmstudio_v1_models(
    const std::vector<ModelCatalogue>& fleet);  ///< GET /api/v1/models
/// GET /v1/models/{id} and /api/v0/models/{id}; empty string = no such model.
std::string render_openai_model(const std::vector<ModelCatalogue>& fleet, std::string_view id);
std::string render_lmstudio_v0_model(const std::vector<ModelCatalogue>& fleet, std::string_view id);

/// True when a request for `name` may go to an instance of `entry`: equal to its id, one of its
/// variants, or one of its instances' ids.
bool names_model(const ModelEntry& entry, std::string_view name) noexcept;

}  // namespace lmb::protocol
