#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "process_stats.hpp"

namespace lmb::telemetry::process_stats {

std::optional<double> resident_bytes() {
  // proc(5): statm holds sizes in pages, the whole program's first, the resident part second.
  std::ifstream statm("/proc/self/statm");
  double program_pages = 0;
  double resident_pages = 0;
  if (!(statm >> program_pages >> resident_pages)) return std::nullopt;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> open_descriptors() {
  std::error_code failed;
  std::filesystem::directory_iterator entry("/proc/self/fd", failed);
  double count = 0;
  while (!failed && entry != std::filesystem::directory_iterator()) {
    ++count;
    entry.increment(failed);
  }
  if (failed) return std::nullopt;
  // The directory that is being read is one of them.
  return count - 1;
}

}  // namespace lmb::telemetry::process_stats
