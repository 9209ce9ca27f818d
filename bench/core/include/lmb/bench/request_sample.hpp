#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/base/clock.hpp"

namespace lmb::bench {

/// Why a request failed; its label counts it in the report.
enum class Failure : std::uint8_t {
  none,
  not_resolved,          ///< The host name has no address.
  connect_failed,        ///< Refused, unreachable, reset while connecting.
  timeout,               ///< The plan's timeout passed, whatever the request was waiting for.
  send_failed,           ///< The connection broke before the whole request was taken.
  closed_before_answer,  ///< Closed or reset before the answer's head was complete.
  cut_answer,            ///< Closed or reset within the body.
  bad_answer,            ///< Not HTTP, broken framing, too big, or not the body that was asked for.
  http_status,           ///< A status other than 200; counted by status.
  no_such_route,         ///< LM Studio's 200 `{"error":"Unexpected endpoint or method…"}`.
  stream_error,          ///< An error event within a stream that began with 200.
  unfinished_stream,     ///< The stream ended in order, but without finish_reason and `[DONE]`.
  no_token,              ///< The answer ended in order without a single token.
};

enum class Outcome : std::uint8_t {
  complete,
  failed,
  aborted,  ///< Left on purpose (LoadPlan::abort_share, or the run was interrupted).
};

/// Where a request's token count comes from.
enum class TokenSource : std::uint8_t {
  none,
  usage,   ///< The server's own `usage`.
  chunks,  ///< Token events counted: several tokens may share one.
};

/// One request as the client saw it. Durations count from `start`; nothing = not reached.
struct RequestSample {
  std::size_t index = 0;  ///< Number within the measured requests of the run, from 0.
  Outcome outcome = Outcome::failed;
  Failure failure = Failure::none;
  unsigned status = 0;        ///< 0 = no answer head was read.
  std::string error_message;  ///< What the server said, at most 200 bytes; empty if nothing.
  std::string worker;         ///< x-lmb-worker; empty if there was none.

  Duration start{};  ///< Since the run's begin: the client begins to work on the request.
  std::optional<Duration>
      connect;  ///< When the new connection was ready; nothing = one was reused.
  std::optional<Duration> head;
  std::optional<Duration> first_token;  ///< Streams only: content, reasoning or tool delta.
  std::optional<Duration> last_token;
  Duration end{};  ///< The body's last byte was read, or it was clear that none will come.

  std::uint64_t prompt_tokens = 0;
  std::uint64_t generated_tokens = 0;
  TokenSource token_source = TokenSource::none;
  std::optional<Duration> queue;  ///< The balancer's queue, from Server-Timing.
};

/// The failure's label, e.g. "cut_answer"; with its status for http_status: "http_503".
std::string failure_label(const RequestSample& sample);
/// The enumerator's name.
std::string_view to_string(Failure failure) noexcept;
std::string_view to_string(Outcome outcome) noexcept;
std::string_view to_string(TokenSource source) noexcept;

}  // namespace lmb::bench
