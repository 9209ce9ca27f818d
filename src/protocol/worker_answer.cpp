#include "lmb/protocol/worker_answer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "json_document.hpp"
#include "lmb/base/utf8.hpp"

namespace lmb::protocol {
namespace {

/// The `error` member of an answer.
struct AnswerError {
  bool present = false;
  std::string message;  ///< The member itself when it is a string, else its `message`.
  std::string type;
  std::string code;
};

bool read_error(JsonValue& value, AnswerError& error) {
  const char kind = json_kind(value);
  error.present = kind != 'n' && kind != 'f' && value.raw_json_token().substr(0, 2) != "\"\"";
  if (kind == '"') return assign_text(value, error.message);
  return each_member(value, [&error](std::string_view key, JsonValue& part) {
    if (key == "message") return assign_text(part, error.message);
    if (key == "type") return assign_text(part, error.type);
    return key != "code" || assign_text(part, error.code);
  });
}

AnswerError find_error(std::string_view body) {
  AnswerError error;
  // A key is never written with escapes by a worker, and a model's text cannot hold a bare quote.
  // JSON is full of quotes, where string_view::find would stop each time.
  constexpr std::string_view sought = "\"error\"";
  if (::memmem(body.data(), body.size(), sought.data(), sought.size()) == nullptr) return error;
  const JsonCheck check =
      read_json_object(padded_copy(body), [&error](std::string_view key, JsonValue& value) {
        return key != "error" || read_error(value, error);
      });
  return check.ok() ? error : AnswerError{};
}

struct KnownMessage {
  std::string_view begin;
  Verdict verdict;
};

// Messages are recognised by their beginnings only: further on they may quote the client's own
// text, such as a model that somebody named "Channel Error".
constexpr std::array known_messages{
    KnownMessage{"Unexpected endpoint or method", Verdict::lacks_route},
    KnownMessage{"No models loaded", Verdict::lacks_model},
    KnownMessage{"Invalid model identifier", Verdict::lacks_model},
    KnownMessage{"Failed to load model", Verdict::lacks_model},
    KnownMessage{"Model loading was stopped", Verdict::lacks_model},
    KnownMessage{"Model is unloaded", Verdict::lacks_model},
    KnownMessage{"Model unloaded", Verdict::lacks_model},
    KnownMessage{"The model has crashed", Verdict::worker_fault},
    KnownMessage{"Channel Error", Verdict::worker_fault},
    KnownMessage{"Compute error", Verdict::worker_fault},
    KnownMessage{"Error in iterating prediction stream", Verdict::worker_fault},
    KnownMessage{"Context size has been exceeded", Verdict::worker_fault},
    KnownMessage{"The number of tokens to keep from the initial prompt", Verdict::client_fault},
    KnownMessage{"Error rendering prompt with jinja template", Verdict::client_fault},
};

constexpr std::string_view engine_message = "Engine protocol predict ";
constexpr std::string_view engine_refused = "Engine protocol predict request returned 4";

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

/// What the engine behind LM Studio's server said (0.4.17 and later). It quotes no prompt.
Verdict judge_engine(std::string_view message) noexcept {
  // One request alone is too large: it fails everywhere. "Context size has been exceeded" tells of
  // the pool that all requests share: there the others were at fault as well.
  if (contains(message, "exceeds the available context size")) return Verdict::client_fault;
  return message.starts_with(engine_refused) ? Verdict::client_fault : Verdict::worker_fault;
}

Verdict judge_error(const AnswerError& error, Verdict otherwise) noexcept {
  const std::string_view message = error.message;
  const auto* known =
      std::find_if(known_messages.begin(), known_messages.end(),
                   [message](const KnownMessage& m) { return message.starts_with(m.begin); });
  if (known != known_messages.end()) return known->verdict;
  if (message.starts_with(engine_message)) return judge_engine(message);
  if (message.starts_with("request (") && contains(message, "exceeds the available context size")) {
    return Verdict::client_fault;
  }
  if (error.code == "model_not_found" || error.type == "model_not_found")
    return Verdict::lacks_model;
  if (error.type == "server_error" || error.type == "internal_error" || error.type == "api_error" ||
      error.type == "overloaded_error" || error.code == "server_error") {
    return Verdict::worker_fault;
  }
  return otherwise;
}

/// One that was told under a status of success.
Verdict judge_hidden_error(const AnswerError& error) noexcept {
  const bool refused = error.type == "invalid_request_error" || error.type == "invalid_request";
  return judge_error(error, refused ? Verdict::client_fault : Verdict::worker_fault);
}

}  // namespace

Verdict judge_answer(unsigned status, std::string_view body) {
  if (status == 401 || status == 403) return Verdict::bad_token;
  const AnswerError error = find_error(body);
  if (status < 400) return error.present ? judge_hidden_error(error) : Verdict::ok;
  // These tell of the worker's own time and load, or of its connection with us, which is not the
  // client's; LM Studio has not been seen to send them.
  constexpr std::array<unsigned, 6> of_the_worker{407, 408, 421, 425, 426, 429};
  const bool worker_status = status >= 500 || std::find(of_the_worker.begin(), of_the_worker.end(),
                                                        status) != of_the_worker.end();
  return judge_error(error, worker_status ? Verdict::worker_fault : Verdict::client_fault);
}

Verdict judge_stream_error(std::string_view message, std::string_view type) {
  AnswerError error;
  error.present = true;
  error.message = message;
  error.type = type;
  return judge_hidden_error(error);
}

bool is_whole_answer(std::string_view body) noexcept {
  return check_json_outline(body).ok();
}

std::string message_of_answer(std::string_view body) {
  constexpr std::size_t message_bytes_max = 512;
  const AnswerError error = find_error(body);
  return std::string(utf8_prefix(error.message, message_bytes_max));
}

}  // namespace lmb::protocol
