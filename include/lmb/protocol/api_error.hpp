#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lmb/base/error.hpp"
#include "lmb/protocol/route.hpp"

namespace lmb::protocol {

/// One row of the table from ErrorKind to everything that is shown of it.
struct ErrorRow {
  unsigned status;        ///< 0: nobody is answered (client_gone, client_stalled).
  std::string_view type;  ///< OpenAI error `type`.
  std::string_view code;  ///< OpenAI error `code`; empty = null.
  std::string_view
      message;  ///< For the client; the Error's detail is appended for the client's own faults.
  /// The detail may be shown: it describes the client's own bytes, or (worker_refused_key) is the
  /// worker's name, which x-lmb-worker tells too.
  bool detail_for_client;
  bool retry_after;  ///< Carries Retry-After.
  bool close;        ///< The client's connection cannot be used further.
  /// Two letters as in HAProxy's termination state: who ended it (C client, W worker, P proxy), in
  /// which phase by default: the second letter is replaced by the phase's letter when one is known.
  char who;
};

const ErrorRow& error_row(ErrorKind kind) noexcept;

/// The error body of a dialect: `{"error":{"message","type","param","code"}}`, or Anthropic's
/// `{"type":"error","error":{"type","message"}}` on /v1/messages.
std::string error_body(const Error& error, Dialect dialect);

/// The same error as an SSE event to append to a stream, with its blank line.
std::string error_event(const Error& error, Dialect dialect);

}  // namespace lmb::protocol
