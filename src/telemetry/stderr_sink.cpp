#include "stderr_sink.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "lmb/telemetry/unheld_write.hpp"

namespace lmb::telemetry {
namespace {

std::atomic<std::uint64_t> dropped_messages{0};

/// All of `text` unless there is no room; how much of it was written.
std::size_t write_stderr(std::string_view text) noexcept {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto written = write_unheld(STDERR_FILENO, text.substr(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

}  // namespace

std::uint64_t StderrSink::dropped() noexcept {
  return dropped_messages.load(std::memory_order_relaxed);
}

void StderrSink::count_dropped() noexcept {
  dropped_messages.fetch_add(1, std::memory_order_relaxed);
}

void StderrSink::append_line(const spdlog::details::log_msg& message, std::string& text) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  text.append(line.data(), line.size());
}

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
  const auto lost = dropped();
  std::string text = torn_ ? "\n" : "";
  if (lost > told_) {
    const auto notice = "messages are missing here: " + std::to_string(lost - told_);
    append_line({message.time, {}, message.logger_name, spdlog::level::warn, notice}, text);
  }
  const std::size_t before_message = text.size();
  append_line(message, text);
  const std::size_t written = write_stderr(text);
  if (written >= before_message) told_ = lost;
  if (written > 0) torn_ = text[written - 1] != '\n';
  if (written < text.size()) count_dropped();
}

}  // namespace lmb::telemetry
