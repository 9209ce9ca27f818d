#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/slot.hpp"
#include "worker.hpp"

namespace lmb::scheduling {

/// Place of a model name in the ModelTable; valid while a worker offers it or a ticket waits for
/// it.
using ModelId = StrongId<struct ModelIdTag, std::uint32_t>;

/// An instance that may serve a name.
struct Place {
  WorkerId worker;
  InstanceId instance;
  /// The worker must be told the instance's id: under this name it would have a choice among its
  /// instances, load one more, or not know the model at all.
  bool rename = false;
};

/// Who offers a name. Valid until the table changes.
struct Offering {
  WorkerSet listed;               ///< Workers that may serve it, loaded or not.
  std::span<const Place> places;  ///< By worker, then by instance.
};

/// Every model name that a worker offers or a request waits for, with the instances it may mean.
///
/// A model's key and its further names mean all its instances; an instance's id means just that
/// one. Names nobody offers are kept only while tickets wait for them, so clients cannot grow the
/// table beyond the queue's length.
class ModelTable {
 public:
  /// Who offers `name`; nobody for one that is not known. Does not allocate. O(1).
  [[nodiscard]] Offering find(std::string_view name) const;
  [[nodiscard]] Offering find(ModelId model) const;

  /// Replaces all that `id` offers by what `worker` lists now. O(places + names).
  void set_offers(WorkerId id, const Worker& worker);

  /// Keeps `name` while a ticket waits for it; one release per retain.
  ModelId retain(std::string_view name);
  void release(ModelId model);

  /// Retains without a release yet. O(names); for assertions.
  [[nodiscard]] std::size_t waiting() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };
  struct Model {
    std::string name;
    WorkerSet listed;
    std::vector<Place> places;
    std::size_t waiting = 0;
  };

  void add(std::string_view name, Place place);
  void add_names(const ModelOffer& model, const Instance& instance, Place place);
  ModelId insert(std::string_view name);
  void erase_unused(ModelId model);

  std::unordered_map<std::string, ModelId, Hash, std::equal_to<>> ids_;
  std::vector<Model> models_;
  std::vector<ModelId> vacant_;  ///< Places in models_ to use again.
};

}  // namespace lmb::scheduling
