#include "stderr_sink.hpp"

#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "unheld_write.hpp"

namespace lmb::telemetry {

std::string StderrSink::text_of(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  return {line.data(), line.size()};
}

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
  const auto lost = dropped();
  std::string text = torn_ ? "\n" : "";
  if (lost > told_) {
    const auto notice =
        "messages missing here, for nobody read them: " + std::to_string(lost - told_);
    text += text_of({message.time, {}, message.logger_name, spdlog::level::warn, notice});
  }
  text += text_of(message);
  const std::size_t limit = unheld_write_limit(STDERR_FILENO);
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = write_unheld(STDERR_FILENO, rest.substr(0, limit));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return count_dropped();
    told_ = lost;
    rest.remove_prefix(static_cast<std::size_t>(written));
    torn_ = !rest.empty();
  }
}

}  // namespace lmb::telemetry
