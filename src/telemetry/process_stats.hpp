#pragma once

#include <optional>

/// What only the operating system knows about this process; one source file per system.
namespace lmb::telemetry::process_stats {

/// Resident memory in bytes; nullopt when the system does not tell.
std::optional<double> resident_bytes();
/// Open file descriptors; nullopt when the system does not tell.
std::optional<double> open_descriptors();

}  // namespace lmb::telemetry::process_stats
