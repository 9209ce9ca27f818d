#include "instance.hpp"

namespace lmb::scheduling {

std::uint32_t slots_of(const Instance& instance, const WorkerSpec& spec,
                       std::uint32_t slots_unknown) noexcept {
  if (!instance.loaded || instance.kind == ModelKind::embedding) {
    return 1;
  }
  return spec.slots.value_or(instance.parallel != 0 ? instance.parallel : slots_unknown);
}

}  // namespace lmb::scheduling
