#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/protocol/route.hpp"

namespace lmb::protocol {

/// Token counts that a worker reported. Objects with a count that is negative, no whole number or
/// above 1e9 are passed over.
struct Usage {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t generated_tokens = 0;
};

/// Whether so many tokens can have been generated in an answer of so many bytes, its JSON included.
/// Generous, for a token may be invisible: 4 tokens a byte and 1,024 more.
constexpr bool believable(const Usage& usage, std::uint64_t answer_bytes) noexcept {
  return usage.generated_tokens / 4 <= answer_bytes + 256;
}

/// Watches a decoded SSE body as it passes and notes what matters, without changing or keeping it
/// (HTML Living Standard section 9.2; events of the dialects: OpenAI API, Anthropic API, LM
/// Studio).
///
/// Line ends may be LF, CR LF or CR; events may be split at any byte between calls. Only the
/// unfinished tail of an event is kept, at most `event_bytes_max`; a longer event passes unjudged.
/// Thread safety: none.
class SseScanner {
 public:
  static constexpr std::size_t default_event_bytes = 256 * 1024;

  SseScanner() = default;
  explicit SseScanner(Dialect dialect, std::size_t event_bytes_max = default_event_bytes)
      : dialect_(dialect), event_bytes_max_(event_bytes_max) {}

  /// What one call's bytes contained.
  struct Seen {
    std::uint32_t events = 0;        ///< Complete events that are not comments only.
    std::uint32_t token_deltas = 0;  ///< Events with non-empty content, reasoning or tool delta.
    bool error = false;              ///< An error event (by name or by `error` key) was completed.
    bool finished =
        false;  ///< `[DONE]`, response.completed/failed/incomplete, message_stop, chat.end.
  };
  /// Looks at the next `payload` bytes.
  Seen observe(std::string_view payload);

  /// The last byte seen ended an event: only then may an event of our own follow.
  [[nodiscard]] bool at_event_boundary() const noexcept { return at_boundary_; }
  [[nodiscard]] bool saw_error() const noexcept { return saw_error_; }
  /// The newest event was one: nothing has followed it.
  [[nodiscard]] bool last_event_error() const noexcept { return last_error_; }
  [[nodiscard]] bool saw_finish() const noexcept { return saw_finish_; }
  /// A finish_reason (or its like in other dialects) was seen: the answer is whole even without
  /// [DONE].
  [[nodiscard]] bool saw_finish_reason() const noexcept { return saw_finish_reason_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  /// Events that were too long to be judged.
  [[nodiscard]] std::uint64_t unjudged_events() const noexcept { return unjudged_events_; }
  /// The newest event was one of them: whether it ended the stream is not known.
  [[nodiscard]] bool last_event_unjudged() const noexcept { return last_unjudged_; }
  [[nodiscard]] std::uint64_t token_deltas() const noexcept { return token_deltas_; }
  [[nodiscard]] const std::optional<Usage>& usage() const noexcept { return usage_; }
  /// Message of the first error event, at most 512 bytes, for logs and retry decisions; empty if
  /// none.
  [[nodiscard]] const std::string& error_message() const noexcept { return error_message_; }
  /// Its `type`; empty if none.
  [[nodiscard]] const std::string& error_type() const noexcept { return error_type_; }
  /// The answer's own id, once an event told it (responses and LM Studio dialects); empty before.
  [[nodiscard]] const std::string& response_id() const noexcept { return response_id_; }

 private:
  /// An earlier token event without its text: an event that differs from it in that text alone is a
  /// token and nothing else. Spares the JSON parser for nearly all events of a stream.
  struct Pattern {
    std::string before;
    std::string after;
    [[nodiscard]] bool matches(std::string_view event) const noexcept;
  };

  void keep_tail(std::string_view part);
  void end_event(std::string_view rest, Seen& seen);
  void note_unjudged(Seen& seen);
  void judge_event(std::string_view event, Seen& seen);
  void judge_data(std::string_view name, std::string_view data, std::string_view event, Seen& seen);

  Dialect dialect_ = Dialect::openai_chat;
  bool at_boundary_ = true;
  bool saw_error_ = false;
  bool saw_finish_ = false;
  bool saw_finish_reason_ = false;
  bool usage_absurd_ = false;  ///< No count of such a worker is believed.
  bool overlong_ = false;
  bool at_line_start_ = true;
  bool after_cr_ = false;  ///< A leading LF belongs to the line end before.
  std::uint64_t events_ = 0;
  std::uint64_t unjudged_events_ = 0;
  bool last_unjudged_ = false;
  bool last_error_ = false;
  std::size_t event_bytes_max_ = default_event_bytes;
  std::uint64_t token_deltas_ = 0;
  std::uint64_t prompt_tokens_ = 0;  ///< Told by an event before the one with the generated tokens.
  std::string tail_;                 ///< The unfinished event so far.
  Pattern pattern_;
  std::optional<Usage> usage_;
  std::string error_message_;
  std::string error_type_;
  std::string response_id_;
};

/// Token counts of a whole (non-stream) JSON answer, if it reports any other than zero.
/// `body` needs json_padding readable bytes behind it.
std::optional<Usage> usage_of_answer(std::string_view body, Dialect dialect);

/// The id by which a later request can name a whole (non-stream) JSON answer; empty when the
/// dialect has none, or the answer tells none. `body` needs json_padding readable bytes behind it.
std::string response_id_of_answer(std::string_view body, Dialect dialect);

}  // namespace lmb::protocol
