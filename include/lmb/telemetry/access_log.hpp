#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/telemetry/options.hpp"
#include "lmb/telemetry/request_record.hpp"

namespace lmb::telemetry {

/// Appends one JSON line (with its line feed) for a finished request: time, request id, trace id,
/// method, route, model, worker, status, attempts, termination code, phases in ms, TTFT, TPOT,
/// tokens, bytes. The printed phases sum to the printed total. Texts are cut at 256 bytes. The time
/// is that of the call. Never prompt text or addresses of clients. docs/metrics.md lists the
/// fields.
void append_access_line(const RequestRecord& record, std::string_view worker_name,
                        std::string& out);

/// One shard's access lines: collected in memory, written at 64 KiB or by flush().
/// Thread safety: none; one per shard, on one file or reader. Lines stay whole: O_APPEND keeps them
/// so in a file, write_unheld elsewhere.
class AccessLog {
 public:
  /// `path`: a file to append to, "-" = stdout, empty = off. Errors: internal (cannot open; detail
  /// says why). `kept_bytes_max`: what waits for a reader that does not keep up.
  static Result<AccessLog> open(const std::string& path, std::vector<std::string> worker_names,
                                std::size_t kept_bytes_max = TelemetryOptions().access_log_bytes);
  AccessLog(AccessLog&& other) noexcept;
  AccessLog& operator=(AccessLog&& other) noexcept;
  ~AccessLog();

  /// From now on `place` is the worker of that name.
  void set_worker(WorkerId place, std::string name);
  /// A line for which there is no memory is counted and dropped.
  void record(const RequestRecord& record) noexcept;
  /// Writes what is collected; called each second by the shard's tick. What cannot be written (disk
  /// full) is counted and dropped; what a reader has not taken waits, up to kept_bytes_max.
  void flush() noexcept;
  /// Writes what is collected, waiting for a reader until then; what is left is dropped. Returns
  /// how many lines that were. The destructor does so, too, and waits up to a second.
  std::uint64_t end(TimePoint until) noexcept;
  [[nodiscard]] std::uint64_t dropped_lines() const noexcept { return dropped_lines_; }

 private:
  void append(const RequestRecord& record);
  AccessLog() = default;
  [[nodiscard]] std::chrono::milliseconds patience() const noexcept;
  void keep_unwritten(std::size_t written) noexcept;

  int descriptor_ = -1;
  bool owned_ = false;
  bool torn_ = false;
  std::optional<TimePoint> ending_until_;
  std::size_t kept_bytes_max_ = 0;
  std::uint64_t dropped_lines_ = 0;
  std::string pending_;
  std::vector<std::string> worker_names_;
};

}  // namespace lmb::telemetry
