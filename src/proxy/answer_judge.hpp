#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lmb/base/error.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/protocol/route.hpp"
#include "lmb/protocol/sse_scanner.hpp"
#include "lmb/protocol/worker_answer.hpp"
#include "lmb/proxy/options.hpp"

namespace lmb::proxy {

/// Holds a worker's answer until it may go to the client, and says what it is worth.
///
/// Pure: it sees bytes and tells errors. Thread safety: none.
class AnswerJudge {
 public:
  /// When the answer may go to the client.
  enum class Hold { whole, first_event, first_byte };

  /// `stream_asked`: the client asked for a stream, whatever the worker answers with.
  AnswerJudge(const protocol::ResponseHead& head, protocol::Dialect dialect, bool stream_asked,
              const Limits& limits);

  [[nodiscard]] bool event_stream() const noexcept { return event_stream_; }
  [[nodiscard]] Hold hold() const noexcept { return hold_; }
  /// A counted answer was too large to be held: it passes on unjudged.
  [[nodiscard]] bool too_large_to_hold() const noexcept { return too_large_; }
  [[nodiscard]] const protocol::SseScanner& scanner() const noexcept { return scanner_; }

  /// Looks at the body's next bytes, wherever they go.
  protocol::SseScanner::Seen observe(std::string_view payload);
  /// Keeps them until the commit point.
  void keep(std::string_view payload) { held_.append(payload); }
  /// More is kept than an answer that is judged whole may have.
  [[nodiscard]] bool over_limit() const noexcept { return held_.size() > held_max_; }
  /// Enough has come for a verdict. `complete`: the answer ends with what has come.
  [[nodiscard]] bool ready(bool complete) const noexcept;
  /// The verdict on what is held; nothing = the answer may pass, or more of it is needed. Errors:
  /// bad_response, worker_error, worker_refused_key, route_unsupported, model_unavailable,
  /// request_refused.
  [[nodiscard]] std::optional<Error> judge(bool complete);
  /// The verdict on an error event that passed after the commit point.
  [[nodiscard]] std::optional<Error> judge_passed() const;
  /// What was held, which is then no longer.
  [[nodiscard]] std::string take_held() { return std::exchange(held_, {}); }

  /// A stream says how it ended: with its last event, a finish reason or an error.
  [[nodiscard]] bool told_end() const noexcept;
  /// A stream's last event, or an error that is one, has come: who leaves now has what there was to
  /// wait for.
  [[nodiscard]] bool said_last_word() const noexcept;
  /// The answer's id, for the turns that go on from it; empty until it is known.
  [[nodiscard]] std::string_view response_id() const noexcept;
  /// What the worker counted, if it did and the answer's size does not belie it.
  [[nodiscard]] std::optional<protocol::Usage> usage() const;

 private:
  [[nodiscard]] Hold choose_hold(const protocol::ResponseHead& head, bool stream_asked);
  [[nodiscard]] std::optional<Error> judge_whole();
  [[nodiscard]] std::optional<Error> judge_events(bool complete) const;
  [[nodiscard]] std::optional<Error> error_of(protocol::Verdict verdict) const;
  [[nodiscard]] std::string workers_words() const;

  std::size_t held_max_;
  protocol::Dialect dialect_;
  unsigned status_;
  bool event_stream_;
  bool too_large_ = false;
  Hold hold_;
  std::uint64_t body_bytes_ = 0;
  std::string held_;
  std::string whole_id_;  ///< Id of an answer in one piece.
  std::optional<protocol::Usage> whole_usage_;
  protocol::SseScanner scanner_;
};

}  // namespace lmb::proxy
