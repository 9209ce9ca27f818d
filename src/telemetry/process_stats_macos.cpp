#include <libproc.h>
#include <mach/mach.h>
#include <unistd.h>

#include <vector>

#include "process_stats.hpp"

namespace lmb::telemetry::process_stats {

std::optional<double> resident_bytes() {
  mach_task_basic_info info{};
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  const kern_return_t result = ::task_info(mach_task_self(), MACH_TASK_BASIC_INFO,
                                           reinterpret_cast<task_info_t>(&info), &count);
  if (result != KERN_SUCCESS) return std::nullopt;
  return static_cast<double>(info.resident_size);
}

std::optional<double> open_descriptors() {
  // Without a buffer the call tells the table's size, which can be larger than what is in use.
  const int table_bytes = ::proc_pidinfo(::getpid(), PROC_PIDLISTFDS, 0, nullptr, 0);
  if (table_bytes <= 0) return std::nullopt;
  std::vector<proc_fdinfo> table(static_cast<std::size_t>(table_bytes) / sizeof(proc_fdinfo));
  const int used_bytes = ::proc_pidinfo(::getpid(), PROC_PIDLISTFDS, 0, table.data(),
                                        static_cast<int>(table.size() * sizeof(proc_fdinfo)));
  if (used_bytes <= 0) return std::nullopt;
  return static_cast<double>(static_cast<std::size_t>(used_bytes) / sizeof(proc_fdinfo));
}

}  // namespace lmb::telemetry::process_stats
