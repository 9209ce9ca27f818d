#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/strong_id.hpp"
#include "lmb/protocol/model_list.hpp"

namespace lmb::admin {

/// The fleet's model catalogues, and the lists that clients are shown of them: the union, without
/// asking a worker. Thread safety: none; lives on the fleet watch's shard.
class ModelLists {
 public:
  /// Workers 0 to `workers` - 1 are in the fleet.
  explicit ModelLists(std::size_t workers) : known_(workers), catalogues_(workers) {}
  /// A worker joins; its catalogue is not known yet.
  void add(WorkerId place);
  /// A worker leaves, and its models with it.
  void remove(WorkerId worker);
  void set(WorkerId worker, protocol::ModelCatalogue catalogue);
  /// The body for a local model route (protocol::Route::label) and the request's target. Empty: no
  /// such model, or no such route.
  [[nodiscard]] std::string render(std::string_view route, std::string_view target) const;
  /// Every worker's catalogue was read at least once.
  [[nodiscard]] bool complete() const noexcept;

 private:
  std::vector<bool> known_;  ///< True of a place without a worker: nothing is missing there.
  std::vector<protocol::ModelCatalogue> catalogues_;
};

}  // namespace lmb::admin
