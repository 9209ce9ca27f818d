#pragma once

#include "lmb/base/clock.hpp"

/// Control of the manual clock; linked only into tests and simulations (lmb::clock_manual).
namespace lmb::manual_clock {

/// Sets the time. Starts at TimePoint{} + 1 h, so that "now - something" stays positive.
void reset() noexcept;
/// Moves the clock forward by `step` (>= 0).
void advance(Duration step) noexcept;
/// Sets the wall clock alone, as an operator or NTP would: so far from where it would be. reset()
/// undoes it.
void set_wall(Duration offset) noexcept;

}  // namespace lmb::manual_clock
