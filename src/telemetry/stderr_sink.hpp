#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>

namespace lmb::telemetry {

/// Messages to stderr as long as somebody reads it. One that finds no room is dropped, and so is
/// the rest of one that was begun: a log that nobody drains must not hold the shards. The first
/// message that is written again tells how many are missing.
/// Thread safety: as all of spdlog's sinks with a mutex; the counts from any thread.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Messages of this program that were not written, or not to their end.
  static std::uint64_t dropped() noexcept;
  static void count_dropped() noexcept;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  void append_line(const spdlog::details::log_msg& message, std::string& text);

  bool torn_ = false;  // What was written last does not end its line.
  std::uint64_t told_ = 0;
};

}  // namespace lmb::telemetry
