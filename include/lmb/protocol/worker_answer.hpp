#pragma once

#include <string>
#include <string_view>

namespace lmb::protocol {

/// What a worker's complete answer says about who is at fault (study of LM Studio's errors:
/// everything is a 400, whoever caused it).
enum class Verdict {
  ok,            ///< Pass it on.
  client_fault,  ///< The request itself is wrong: pass the answer on if its status says so too.
  worker_fault,  ///< The worker failed (crash, engine gone, 5xx): another one may succeed.
  lacks_route,   ///< 200 `{"error":"Unexpected endpoint or method…"}`.
  lacks_model,   ///< Unknown model, nothing loaded, unloaded, load refused: others may have it.
  bad_token,     ///< 401/403: our token for this worker is wrong; a configuration fault.
};

/// Judges a whole answer body. `body` may be empty. Takes `error` as a string or an object. An
/// error in an answer below 400 is judged as one within a stream.
Verdict judge_answer(unsigned status, std::string_view body);

/// Whether an answer that is not streamed can be whole: every route's is one JSON object. Only its
/// outline is looked at: closed strings, matching brackets, nothing behind it.
bool is_whole_answer(std::string_view body) noexcept;

/// What the `error` of an answer body says, at most 512 bytes; empty if there is none.
std::string message_of_answer(std::string_view body);

/// Judges an error event that came within a stream answered 200, by its message and its `type`
/// (empty if it has none). One that is not known counts as the worker's fault: the request was good
/// enough to begin an answer.
Verdict judge_stream_error(std::string_view message, std::string_view type);

}  // namespace lmb::protocol
