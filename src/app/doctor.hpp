#pragma once

#include <string>

namespace lmb::app {

/// `lmbalancer doctor`: looks at each worker of a config as a probe does, and says what is wrong
/// and which step mends it. Needs no running lmbalancer. Returns the exit code: 1 when the file is
/// bad or any worker is unusable.
int doctor(const std::string& config_file);

}  // namespace lmb::app
