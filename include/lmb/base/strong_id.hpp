#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace lmb {

/// An integer that cannot be mixed up with another kind of integer.
template <class Tag, class Rep>
class StrongId {
 public:
  constexpr StrongId() noexcept = default;
  constexpr explicit StrongId(Rep value) noexcept : value_(value) {}
  [[nodiscard]] constexpr Rep value() const noexcept { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

 private:
  Rep value_{};
};

/// Index of a worker, stable from configuration until the process ends; never reused.
using WorkerId = StrongId<struct WorkerIdTag, std::uint32_t>;
/// A request's place in the dispatcher's queue; never reused.
using TicketId = StrongId<struct TicketIdTag, std::uint64_t>;

}  // namespace lmb

template <class Tag, class Rep>
struct std::hash<lmb::StrongId<Tag, Rep>> {
  std::size_t operator()(lmb::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
