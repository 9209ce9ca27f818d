#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/scheduler.hpp"

namespace lmb::scheduling {

/// Place of a model name in the ModelTable; valid while a worker offers it or a ticket waits for
/// it.
using ModelId = StrongId<struct ModelIdTag, std::uint32_t>;

/// Who offers a model.
struct Offering {
  WorkerSet listed;  ///< In their catalogue, loaded or not.
  WorkerSet loaded;  ///< A subset of `listed`.
};

/// Every model name that a worker offers or a request waits for, with its workers.
///
/// The empty name means "any model": all workers list it, always. Names nobody offers are kept only
/// while tickets wait for them, so clients cannot grow the table beyond the queue's length.
class ModelTable {
 public:
  explicit ModelTable(WorkerSet all_workers);

  /// Who offers `name`; empty sets when nobody does. Does not allocate. O(1).
  [[nodiscard]] Offering find(std::string_view name) const;
  [[nodiscard]] Offering find(ModelId model) const;

  /// Replaces all that `worker` offers. O(names).
  void set_offers(WorkerId worker, const std::vector<ModelOffer>& models);

  /// Keeps `name` while a ticket waits for it; one release per retain.
  ModelId retain(std::string_view name);
  void release(ModelId model);

  /// Retains without a release yet. O(names); for assertions.
  [[nodiscard]] std::size_t waiting() const noexcept;
  /// Names held, the empty one included.
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
    Offering offering;
    std::size_t waiting = 0;
  };

  ModelId insert(std::string_view name);
  void erase_unused(ModelId model);

  std::unordered_map<std::string, ModelId, Hash, std::equal_to<>> ids_;
  std::vector<Model> models_;
  std::vector<ModelId> vacant_;  ///< Places in models_ to use again.
};

}  // namespace lmb::scheduling
