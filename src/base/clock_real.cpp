#include "lmb/base/clock.hpp"

namespace lmb {

Clock::time_point Clock::now() noexcept {
  return time_point(
      std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

bool Clock::is_manual() noexcept {
  return false;
}

std::chrono::system_clock::time_point wall_now() noexcept {
  return std::chrono::system_clock::now();
}

}  // namespace lmb
