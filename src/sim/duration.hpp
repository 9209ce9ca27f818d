#pragma once

#include "lmb/base/clock.hpp"

namespace lmb::sim {

inline Duration seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

inline double to_seconds(Duration value) {
  return std::chrono::duration<double>(value).count();
}

inline Duration scaled(Duration value, double factor) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(value.count()) * factor));
}

}  // namespace lmb::sim
