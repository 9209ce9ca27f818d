#include "lmb/base/refused_memory.hpp"

#include <new>

namespace lmb {
namespace {

thread_local std::uint64_t refused = 0;

[[noreturn]] void note_refusal() {
  ++refused;
  throw std::bad_alloc();
}

}  // namespace

void watch_refused_memory() noexcept {
  std::set_new_handler(note_refusal);
}

std::uint64_t refused_allocations() noexcept {
  return refused;
}

}  // namespace lmb
