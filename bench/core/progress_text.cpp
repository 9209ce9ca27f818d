#include "progress_text.hpp"

#include <algorithm>
#include <chrono>

#include "text_format.hpp"

namespace lmb::bench {
namespace {

constexpr std::size_t bar_columns = 30;
constexpr std::size_t lines_per_phase = 10;
constexpr Duration silence_max = std::chrono::seconds(15);

std::string state_of(const Progress& progress) {
  const double seconds = std::chrono::duration<double>(progress.elapsed).count();
  std::string out = std::to_string(progress.done) + "/" + std::to_string(progress.total);
  if (progress.warming_up) out += " warm-up";
  out += "  " + decimal_text(seconds, 1) + " s";
  if (progress.done > 0 && seconds > 0 && !progress.warming_up) {
    out += "  " + short_text(static_cast<double>(progress.done) / seconds) + " req/s";
  }
  if (progress.failed > 0) out += "  " + std::to_string(progress.failed) + " failed";
  return out;
}

}  // namespace

std::string ProgressText::update(const Progress& progress) {
  if (progress.total == 0) return {};
  if (progress.warming_up != warming_up_) {
    warming_up_ = progress.warming_up;
    told_at_ = Duration::zero();
    told_done_ = 0;
  }
  return bar_ ? bar(progress) : plain(progress);
}

std::string ProgressText::bar(const Progress& progress) {
  const std::size_t filled = bar_columns * std::min(progress.done, progress.total) / progress.total;
  // Carriage return and "erase to the end of the line" (ECMA-48 EL).
  std::string out = "\r\x1b[K" + label_ + " [" + std::string(filled, '#') +
                    std::string(bar_columns - filled, '.') + "] " + state_of(progress);
  // Of a finished run the tables say all that the bar said.
  if (progress.done == progress.total) out = "\r\x1b[K";
  return out;
}

std::string ProgressText::plain(const Progress& progress) {
  if (progress.warming_up) return {};
  const std::size_t step = std::max<std::size_t>(1, progress.total / lines_per_phase);
  const bool enough = progress.done >= told_done_ + step;
  const bool quiet = progress.elapsed >= told_at_ + silence_max;
  const bool over = progress.done == progress.total && told_done_ != progress.total;
  // A fast run needs no more than a line a second and its end.
  if (!over && !quiet && !(enough && progress.elapsed >= told_at_ + std::chrono::seconds(1))) {
    return {};
  }
  told_at_ = progress.elapsed;
  told_done_ = progress.done;
  return label_ + ": " + state_of(progress) + "\n";
}

}  // namespace lmb::bench
