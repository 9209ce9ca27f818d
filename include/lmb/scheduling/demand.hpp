#pragma once

#include <cstdint>
#include <string_view>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"

namespace lmb::scheduling {

/// A set of workers, as a bit mask by WorkerId.
class WorkerSet {
 public:
  constexpr WorkerSet() noexcept = default;
  constexpr explicit WorkerSet(std::uint64_t bits) noexcept : bits_(bits) {}
  [[nodiscard]] constexpr bool contains(WorkerId id) const noexcept {
    return ((bits_ >> id.value()) & 1U) != 0;
  }
  constexpr void insert(WorkerId id) noexcept { bits_ |= std::uint64_t{1} << id.value(); }
  constexpr void erase(WorkerId id) noexcept { bits_ &= ~(std::uint64_t{1} << id.value()); }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  friend constexpr bool operator==(WorkerSet, WorkerSet) noexcept = default;
  /// In both.
  friend constexpr WorkerSet operator&(WorkerSet a, WorkerSet b) noexcept {
    return WorkerSet(a.bits_ & b.bits_);
  }
  /// In either.
  friend constexpr WorkerSet operator|(WorkerSet a, WorkerSet b) noexcept {
    return WorkerSet(a.bits_ | b.bits_);
  }
  /// In `a` but not in `b`.
  friend constexpr WorkerSet operator-(WorkerSet a, WorkerSet b) noexcept {
    return WorkerSet(a.bits_ & ~b.bits_);
  }

 private:
  std::uint64_t bits_ = 0;
};

/// What the brain knows of a request.
struct Demand {
  std::string_view model;  ///< As the client named it. Valid during the call.
  TimePoint deadline;      ///< When waiting in the queue ends.
  WorkerSet tried;         ///< Workers that must not have it: that failed it, or cannot serve it.
  WorkerSet lacking;  ///< Of these, those that lack its route or its conversation: no reason for a
                      ///< fallback.
  WorkerSet cannot_load;  ///< Further ones that could not provide the model: its fallback they may
                          ///< have.
  bool again = false;     ///< It was granted before: it pays nothing into the budget of retries.
  /// Estimated tokens of the prompt; 0 = not known. An instance whose context is shorter is not
  /// chosen while another one fits.
  std::uint64_t prompt_tokens = 0;
  bool stream = false;  ///< The answer comes token by token, so silence can be judged.
  bool acts = false;    ///< But for tools that the worker itself calls: these may take any time.
};

}  // namespace lmb::scheduling
