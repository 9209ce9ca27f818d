#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/base/clock.hpp"
#include "lmb/base/error.hpp"
#include "lmb/base/strong_id.hpp"

namespace lmb::telemetry {

/// The phases of a request's life. Exactly one is open at a time.
enum class Phase : std::uint8_t {
  read,      ///< Reading the client's head and body.
  proxy,     ///< Our own work: parsing, choosing, judging, building heads.
  queue,     ///< Waiting for a slot.
  connect,   ///< Opening a connection to the worker.
  send,      ///< Sending the request to the worker.
  prefill,   ///< Request sent, no token yet (worker's queue, prompt processing, network).
  generate,  ///< First token to the end of the worker's answer.
  drain,     ///< The worker is done; the client is still taking bytes.
};
inline constexpr std::size_t phase_count = 8;

std::string_view to_string(Phase phase) noexcept;
/// The second letter of the termination code: R, P, Q, C, S, H (waiting), D (data), L (last bytes).
char phase_letter(Phase phase) noexcept;

/// The request's stopwatch: `enter` is its only writer, so the phases sum to the total by
/// construction.
class PhaseClock {
 public:
  PhaseClock() = default;
  explicit PhaseClock(TimePoint begun) noexcept : begun_(begun), since_(begun) {}
  /// Closes the open phase at `now` and opens `phase`. `now` never goes back.
  void enter(Phase phase, TimePoint now) noexcept {
    spent_[static_cast<std::size_t>(open_)] += now - since_;
    since_ = now;
    open_ = phase;
  }
  /// Closes the open phase; total() is then final.
  void stop(TimePoint now) noexcept { enter(open_, now); }
  [[nodiscard]] Phase open() const noexcept { return open_; }
  /// When the open phase began.
  [[nodiscard]] TimePoint since() const noexcept { return since_; }
  [[nodiscard]] TimePoint begun() const noexcept { return begun_; }
  [[nodiscard]] Duration spent(Phase phase) const noexcept {
    return spent_[static_cast<std::size_t>(phase)];
  }
  /// Time from begin to the last enter or stop: equals the sum of all spent().
  [[nodiscard]] Duration total() const noexcept { return since_ - begun_; }

 private:
  std::array<Duration, phase_count> spent_{};
  TimePoint begun_{};
  TimePoint since_{};
  Phase open_ = Phase::read;
};

/// Where token counts come from: the worker's `usage` object, or our estimate.
enum class TokenSource : std::uint8_t { usage, estimate };
inline constexpr std::size_t token_source_count = 2;

/// The metric label: the enumerator's name.
std::string_view to_string(TokenSource source) noexcept;

/// Everything that metrics, access line, trace span and Server-Timing are views of.
/// Filled by the proxy on the request's shard; read once at its end.
struct RequestRecord {
  PhaseClock phases;
  std::string_view route = "unknown";  ///< Bounded label with static lifetime.
  std::string method;
  std::string request_id;
  /// Of the client's trace (W3C Trace Context); all zero = it told none.
  std::array<std::uint8_t, 16> trace_id{};
  /// Who sent it: a key's name or a hash, never an address. Valid while the request runs.
  std::string_view client;
  std::string model;               ///< Log only; not a metric label.
  std::optional<WorkerId> worker;  ///< The last worker that was tried.
  std::uint32_t attempts = 0;
  bool stream = false;
  unsigned status = 0;  ///< Sent to the client; 0 = none.
  std::optional<ErrorKind> error;
  std::array<char, 2> termination{'-', '-'};  ///< Who ended it, in which phase; "--" = regular.
  std::optional<TimePoint> first_token;
  std::optional<TimePoint> last_token;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t generated_tokens = 0;
  std::uint64_t tokens_most = 0;  ///< What the answer may have; 0 = no tokens are generated.
  TokenSource token_source = TokenSource::estimate;
  std::uint64_t bytes_from_client = 0;
  std::uint64_t bytes_to_client = 0;
  std::uint64_t bytes_from_worker = 0;
  std::uint64_t bytes_to_worker = 0;
};

/// TTFT: from the request's begin to its first token, the queue included; nullopt without a token.
std::optional<Duration> time_to_first_token(const RequestRecord& record) noexcept;
/// TPOT: (last token - first token) / (tokens - 1); nullopt with less than two tokens.
std::optional<Duration> time_per_output_token(const RequestRecord& record) noexcept;

}  // namespace lmb::telemetry
