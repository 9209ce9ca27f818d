#include <atomic>

#include "lmb/base/assert.hpp"
#include "lmb/base/clock.hpp"
#include "lmb/base/manual_clock.hpp"

namespace lmb {
namespace {

constexpr Duration start = std::chrono::hours(1);
std::atomic<Duration::rep> since_epoch{start.count()};
std::atomic<Duration::rep> wall_offset{0};

}  // namespace

Clock::time_point Clock::now() noexcept {
  return time_point(Duration(since_epoch.load()));
}

bool Clock::is_manual() noexcept {
  return true;
}

std::chrono::system_clock::time_point wall_now() noexcept {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::hours(24 * 365 * 50) + Duration(since_epoch.load() + wall_offset.load())));
}

namespace manual_clock {

void reset() noexcept {
  since_epoch = start.count();
  wall_offset = 0;
}

void advance(Duration step) noexcept {
  LMB_ASSERT(step >= Duration::zero());
  since_epoch += step.count();
}

void set_wall(Duration offset) noexcept {
  wall_offset = offset.count();
}

}  // namespace manual_clock
}  // namespace lmb
