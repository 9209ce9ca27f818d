#pragma once

#include "lmb/telemetry/metrics.hpp"

namespace lmb::app {

/// Version and git hash of this build ("unknown" when built outside a checkout).
telemetry::BuildInfo build_info();

}  // namespace lmb::app
