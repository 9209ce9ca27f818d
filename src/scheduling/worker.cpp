#include "worker.hpp"

#include <algorithm>
#include <limits>

namespace lmb::scheduling {

std::uint32_t slots_of(const Worker& worker, std::uint32_t slots_unknown) noexcept {
  const std::uint32_t told = worker.offers.slots.value_or(0);
  const std::uint32_t found = told != 0 ? told : slots_unknown;
  const std::uint32_t cap =
      worker.spec.max_in_flight.value_or(std::numeric_limits<std::uint32_t>::max());
  return std::min(worker.spec.slots.value_or(found), cap);
}

}  // namespace lmb::scheduling
