#pragma once

#include "lmb/base/clock.hpp"

namespace lmb::bench {

/// Processor time that the calling thread has used so far.
Duration thread_cpu_time() noexcept;

}  // namespace lmb::bench
