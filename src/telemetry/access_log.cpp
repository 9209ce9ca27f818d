#include "lmb/telemetry/access_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "lmb/base/clock.hpp"
#include "lmb/base/json_string.hpp"
#include "lmb/base/utf8.hpp"
#include "lmb/telemetry/unheld_write.hpp"

namespace lmb::telemetry {
namespace {

constexpr std::size_t flush_threshold = 64 * 1024;
/// How long a reader may take at the end, for all that waits.
constexpr auto closing_time = std::chrono::seconds(1);
/// What a client chose freely is cut in the log: a model name can be as long as a body.
constexpr std::size_t longest_text = 256;

template <class Integer>
void append_number(std::string& out, Integer value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_padded(std::string& out, std::int64_t value, std::int64_t width) {
  for (std::int64_t power = 10; --width > 0; power *= 10) {
    if (value < power) out += '0';
  }
  append_number(out, value);
}

/// `2026-11-21T21:00:00.123Z`.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::milliseconds>(time - day));
  append_padded(out, int{date.year()}, 4);
  out += '-';
  append_padded(out, unsigned{date.month()}, 2);
  out += '-';
  append_padded(out, unsigned{date.day()}, 2);
  out += 'T';
  append_padded(out, clock.hours().count(), 2);
  out += ':';
  append_padded(out, clock.minutes().count(), 2);
  out += ':';
  append_padded(out, clock.seconds().count(), 2);
  out += '.';
  append_padded(out, clock.subseconds().count(), 3);
  out += 'Z';
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out += key;
  append_json_string(out, utf8_prefix(value, longest_text));
}

template <class Integer>
void append_integer(std::string& out, std::string_view key, Integer value) {
  out += key;
  append_number(out, value);
}

std::int64_t microseconds(Duration duration) noexcept {
  return std::chrono::round<std::chrono::microseconds>(duration).count();
}

/// Milliseconds with three decimals.
void append_milliseconds(std::string& out, std::string_view key, std::int64_t micros) {
  micros = std::max<std::int64_t>(micros, 0);
  append_integer(out, key, micros / 1000);
  out += '.';
  append_padded(out, micros % 1000, 3);
}

void append_trace_id(std::string& out, const RequestRecord& record) {
  const auto& id = record.trace_id;
  if (std::all_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte == 0; })) {
    out += R"(,"trace_id":null)";
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += R"(,"trace_id":")";
  for (const auto byte : id) {
    out += digits[byte / 16U];
    out += digits[byte % 16U];
  }
  out += '"';
}

/// Each phase is the difference of two rounded clock readings, so the printed phases sum to the
/// printed total exactly; rounding every phase by itself could miss it by 4 us.
void append_phases(std::string& out, const PhaseClock& phases) {
  append_milliseconds(out, R"(,"total_ms":)", microseconds(phases.total()));
  out += R"(,"phases_ms":)";
  Duration elapsed{};
  char separator = '{';
  for (std::size_t i = 0; i < phase_count; ++i) {
    const auto phase = static_cast<Phase>(i);
    const std::int64_t before = microseconds(elapsed);
    elapsed += phases.spent(phase);
    out += separator;
    out += '"';
    out += to_string(phase);
    append_milliseconds(out, R"(":)", microseconds(elapsed) - before);
    separator = ',';
  }
  out += '}';
}

void append_optional(std::string& out, std::string_view key, std::optional<Duration> duration) {
  if (duration) {
    append_milliseconds(out, key, microseconds(*duration));
  } else {
    out += key;
    out += "null";
  }
}

void append_tokens(std::string& out, const RequestRecord& record) {
  append_optional(out, R"(,"ttft_ms":)", time_to_first_token(record));
  append_optional(out, R"(,"tpot_ms":)", time_per_output_token(record));
  append_integer(out, R"(,"prompt_tokens":)", record.prompt_tokens);
  append_integer(out, R"(,"generated_tokens":)", record.generated_tokens);
  append_text(out, R"(,"token_source":)", to_string(record.token_source));
}

}  // namespace

void append_access_line(const RequestRecord& record, std::string_view worker_name,
                        std::string& out) {
  out += R"({"time":")";
  append_time(out, wall_now());
  append_text(out, R"(","request_id":)", record.request_id);
  append_trace_id(out, record);
  append_text(out, R"(,"method":)", record.method);
  append_text(out, R"(,"route":)", record.route);
  if (record.client.empty()) {
    out += R"(,"client":null)";
  } else {
    append_text(out, R"(,"client":)", record.client);
  }
  append_text(out, R"(,"model":)", record.model);
  if (worker_name.empty()) {
    out += R"(,"worker":null)";
  } else {
    append_text(out, R"(,"worker":)", worker_name);
  }
  out += record.stream ? R"(,"stream":true)" : R"(,"stream":false)";
  append_integer(out, R"(,"status":)", record.status);
  if (record.error) {
    append_text(out, R"(,"error":)", to_string(*record.error));
  } else {
    out += R"(,"error":null)";
  }
  append_integer(out, R"(,"attempts":)", record.attempts);
  append_text(out, R"(,"termination":)",
              std::string_view(record.termination.data(), record.termination.size()));
  append_phases(out, record.phases);
  append_tokens(out, record);
  append_integer(out, R"(,"bytes_from_client":)", record.bytes_from_client);
  append_integer(out, R"(,"bytes_to_client":)", record.bytes_to_client);
  append_integer(out, R"(,"bytes_from_worker":)", record.bytes_from_worker);
  append_integer(out, R"(,"bytes_to_worker":)", record.bytes_to_worker);
  out += "}\n";
}

void AccessLog::set_worker(WorkerId place, std::string name) {
  if (worker_names_.size() <= place.value()) worker_names_.resize(place.value() + 1);
  worker_names_[place.value()] = std::move(name);
}

Result<AccessLog> AccessLog::open(const std::string& path, std::vector<std::string> worker_names,
                                  std::size_t kept_bytes_max) {
  AccessLog log;
  log.kept_bytes_max_ = kept_bytes_max;
  log.worker_names_ = std::move(worker_names);
  if (path == "-") {
    log.descriptor_ = STDOUT_FILENO;
  } else if (!path.empty()) {
    constexpr int owner_writes_group_reads = 0640;
    log.descriptor_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
                             owner_writes_group_reads);
    if (log.descriptor_ < 0 && errno == ENXIO) {
      return Error(ErrorKind::internal, "cannot open access log " + path +
                                            ": nobody reads this pipe; start its reader first");
    }
    if (log.descriptor_ < 0) {
      return Error(ErrorKind::internal,
                   "cannot open access log " + path + ": " + std::strerror(errno));
    }
    log.owned_ = true;
  }
  return log;
}

AccessLog::AccessLog(AccessLog&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      owned_(std::exchange(other.owned_, false)),
      torn_(other.torn_),
      kept_bytes_max_(other.kept_bytes_max_),
      dropped_lines_(std::exchange(other.dropped_lines_, 0)),
      pending_(std::exchange(other.pending_, {})),
      worker_names_(std::exchange(other.worker_names_, {})) {}

AccessLog& AccessLog::operator=(AccessLog&& other) noexcept {
  AccessLog moved(std::move(other));
  std::swap(descriptor_, moved.descriptor_);
  std::swap(owned_, moved.owned_);
  std::swap(torn_, moved.torn_);
  std::swap(kept_bytes_max_, moved.kept_bytes_max_);
  std::swap(dropped_lines_, moved.dropped_lines_);
  std::swap(pending_, moved.pending_);
  std::swap(worker_names_, moved.worker_names_);
  return *this;
}

AccessLog::~AccessLog() {
  end(Clock::now() + closing_time);
  if (owned_) ::close(descriptor_);
}

std::uint64_t AccessLog::end(TimePoint until) noexcept {
  const auto before = dropped_lines_;
  ending_until_ = until;
  flush();
  if (descriptor_ >= 0) (void)write_unheld(descriptor_, {}, patience());  // A begun line's rest.
  dropped_lines_ += static_cast<std::uint64_t>(std::count(pending_.begin(), pending_.end(), '\n'));
  pending_.clear();
  return dropped_lines_ - before;
}

void AccessLog::record(const RequestRecord& record) noexcept {
  if (descriptor_ < 0) return;
  const std::size_t before = pending_.size();
  try {
    append(record);
  } catch (const std::bad_alloc&) {
    // A line less is better than the end of all sessions, and than half of one.
    if (pending_.size() > before) pending_.resize(before);
    ++dropped_lines_;
  }
}

void AccessLog::append(const RequestRecord& record) {
  std::string_view worker_name;
  if (record.worker && record.worker->value() < worker_names_.size()) {
    worker_name = worker_names_[record.worker->value()];
  }
  const std::size_t before = pending_.size();
  append_access_line(record, worker_name, pending_);
  if (pending_.size() <= flush_threshold) return;
  const std::string newest = pending_.substr(before);
  pending_.resize(before);
  flush();
  pending_ += newest;
}

/// How long the next write may wait for a reader: not at all while the shard serves.
std::chrono::milliseconds AccessLog::patience() const noexcept {
  if (!ending_until_) return {};
  return std::chrono::ceil<std::chrono::milliseconds>(*ending_until_ - Clock::now());
}

/// Until its reader comes back; beyond kept_bytes_max new lines are dropped.
void AccessLog::keep_unwritten(std::size_t written) noexcept {
  if (written > 0) torn_ = pending_[written - 1] != '\n';
  pending_.erase(0, written);
  if (pending_.size() <= kept_bytes_max_) return;
  const auto whole = std::string_view(pending_).substr(0, kept_bytes_max_);
  const auto kept = whole.rfind('\n') + 1;
  dropped_lines_ += static_cast<std::uint64_t>(
      std::count(pending_.begin() + static_cast<std::ptrdiff_t>(kept), pending_.end(), '\n'));
  pending_.resize(kept);
}

void AccessLog::flush() noexcept {
  if (descriptor_ < 0) return;
  // The rest of a line that was begun must not wait for the next one.
  if (pending_.empty()) (void)write_unheld(descriptor_, {}, patience());
  std::size_t written = 0;
  while (written < pending_.size()) {
    const std::string_view rest = std::string_view(pending_).substr(written);
    const ssize_t result = write_unheld(descriptor_, rest, patience());
    if (result < 0 && errno == EINTR) continue;
    if (result < 0 && errno == EAGAIN) return keep_unwritten(written);
    if (result <= 0) break;
    written += static_cast<std::size_t>(result);
  }
  // A line of which a part was written is kept, so that its rest follows when writing works again;
  // the whole lines behind it are given up.
  if (written > 0) torn_ = pending_[written - 1] != '\n';
  const std::size_t kept = torn_ ? pending_.find('\n', written) + 1 : written;
  dropped_lines_ += static_cast<std::uint64_t>(
      std::count(pending_.begin() + static_cast<std::ptrdiff_t>(kept), pending_.end(), '\n'));
  pending_.resize(kept);
  pending_.erase(0, written);
}

}  // namespace lmb::telemetry
