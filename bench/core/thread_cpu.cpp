#include "thread_cpu.hpp"

#include <ctime>

namespace lmb::bench {

Duration thread_cpu_time() noexcept {
  timespec used{};
  // lmb-tidy: allow real_clock (processor time is no time of day, and POSIX has one call for both)
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0) return {};
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace lmb::bench
