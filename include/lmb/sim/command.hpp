#pragma once

#include <iosfwd>

#include "lmb/sim/options.hpp"

namespace lmb::sim {

/// `lmbalancer sim`: prints `listening on http://ADDRESS:PORT` for each worker and serves until
/// SIGINT or SIGTERM. Returns the exit code: 0 ended by a signal, 1 cannot listen, 2 bad options
/// (told on `err`).
int run_command(const CommandOptions& options, std::ostream& out, std::ostream& err);

}  // namespace lmb::sim
