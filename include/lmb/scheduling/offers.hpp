#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::scheduling {

/// What a model is for. LM Studio runs embeddings one at a time, whatever the slots.
enum class ModelKind : std::uint8_t { generating, embedding };

/// A loaded instance of a model, as the worker's catalogue tells it.
struct InstanceOffer {
  std::string id;                    ///< What a request names to reach just this one, e.g. "m:2".
  std::uint32_t parallel = 0;        ///< Requests it runs at once; 0 = not told.
  std::uint64_t context_length = 0;  ///< In tokens; 0 = not told.
  bool operator==(const InstanceOffer&) const = default;
};

/// A model that a worker lists.
struct ModelOffer {
  std::string key;  ///< Its name on this worker; unique in the catalogue.
  /// Further names that the worker itself knows the model by.
  std::vector<std::string> names = {};
  /// Names by which clients may mean it, but which the worker must not be told.
  std::vector<std::string> spellings = {};
  ModelKind kind = ModelKind::generating;
  std::vector<InstanceOffer> instances = {};  ///< Loaded ones; empty = on disk only.
  std::optional<Duration> load_time = {};     ///< How long loading took last, if the worker tells.
  bool operator==(const ModelOffer&) const = default;
};

/// What a worker's catalogue means to the brain. The caller knows the rules by which names mean
/// models; the brain compares names as they are.
struct Offers {
  std::vector<ModelOffer> models;
  bool operator==(const Offers&) const = default;
};

}  // namespace lmb::scheduling
