#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/scheduling/offers.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// A slot whose client left after the request was sent and before it was answered: the worker first
/// finishes the prompt (LM Studio: "If the model is busy processing the prompt, it will finish
/// first").
struct Settling {
  TimePoint granted;
  TimePoint until;  ///< Estimated end of the prompt.
};

/// A loaded instance of a model on a worker; or, while the model is on disk only, the place that
/// the first request for it will load it to.
struct Instance {
  std::shared_ptr<const std::string> id;
  std::string model;  ///< Key of its model.
  ModelKind kind = ModelKind::generating;
  std::uint32_t parallel = 0;  ///< As the catalogue told; 0 = not told.
  std::uint64_t context_length = 0;
  std::optional<Duration> load_time;  ///< As the catalogue told.
  bool loaded = false;
  bool listed = false;          ///< In the last catalogue.
  bool shares_model = false;    ///< Its worker has several loaded instances of the model.
  std::uint32_t slots = 1;      ///< Requests it may run at once; see slots_of.
  std::uint32_t in_flight = 0;  ///< May exceed `slots` after these shrank.
  std::vector<Settling> settling;
  TimePoint last_used;           ///< When it was listed first or answered last.
  std::uint64_t last_grant = 0;  ///< Number of its latest grant among all the fleet's.

  /// Slots that are not free.
  [[nodiscard]] std::uint32_t occupied() const noexcept {
    return in_flight + static_cast<std::uint32_t>(settling.size());
  }
  [[nodiscard]] bool has_free_slot() const noexcept { return listed && occupied() < slots; }
  /// A prompt of so many tokens fits, as far as is known.
  [[nodiscard]] bool fits(std::uint64_t tokens) const noexcept {
    return context_length == 0 || tokens <= context_length;
  }
  /// Nothing refers to it any more: its place may be used again.
  [[nodiscard]] bool vacant() const noexcept { return !listed && occupied() == 0; }
};

/// What the operator set, else what the catalogue told, else `slots_unknown`; but 1 for an
/// embedding model, which LM Studio runs one at a time, and for one that is on disk only: several
/// requests at once would load it several times.
std::uint32_t slots_of(const Instance& instance, const WorkerSpec& spec,
                       std::uint32_t slots_unknown) noexcept;

}  // namespace lmb::scheduling
