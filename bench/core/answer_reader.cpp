#include "answer_reader.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lmb/protocol/request_facts.hpp"
#include "lmb/protocol/server_timing.hpp"
#include "lmb/protocol/worker_answer.hpp"

namespace lmb::bench {
namespace {

using boost::beast::http::field;

// A load generator must not be what refuses an answer: wider than the balancer's own limits.
constexpr protocol::HeadLimits head_limits = {64 * 1024, protocol::header_count_max, 8 * 1024};
constexpr int interim_answers_max = 8;
constexpr std::size_t body_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t error_message_max = 200;
constexpr unsigned status_ok = 200;

std::string value_of(const protocol::HeaderField* found) {
  return found == nullptr ? std::string() : std::string(found->value);
}

/// What an error body says: `error` as a string or as an object with a `message`.
std::string error_text(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("error")) {
    const auto& error = json["error"];
    if (error.is_string()) return error.get<std::string>();
    if (error.is_object() && error.contains("message") && error["message"].is_string()) {
      return error["message"].get<std::string>();
    }
  }
  return {};
}

/// Whether the whole answer holds anything that was generated.
bool has_content(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("choices") || !json["choices"].is_array()) return false;
  return std::any_of(json["choices"].begin(), json["choices"].end(), [](const auto& choice) {
    if (!choice.is_object() || !choice.contains("message")) return false;
    const auto& message = choice["message"];
    for (const char* key : {"content", "reasoning_content", "reasoning", "tool_calls"}) {
      if (!message.is_object() || !message.contains(key)) continue;
      if (message[key].is_string() && !message[key].template get_ref<const std::string&>().empty())
        return true;
      if (message[key].is_array() && !message[key].empty()) return true;
    }
    return false;
  });
}

}  // namespace

AnswerReader::State AnswerReader::feed(std::span<char> bytes, Duration at) {
  return in_body_ ? feed_body(bytes, at) : feed_head(bytes, at);
}

AnswerReader::State AnswerReader::feed_head(std::span<char> bytes, Duration at) {
  std::size_t scanned = head_.size();
  head_.append(bytes.data(), bytes.size());
  while (true) {
    const auto end = protocol::find_head_end(head_, scanned, head_limits);
    if (!end) return fail(Failure::bad_answer, at);
    if (*end == 0) return State::reading;
    protocol::ResponseHead head;
    const auto parsed = protocol::parse_response_head(std::string_view(head_).substr(0, *end),
                                                      head_limits, false, head);
    if (!parsed) return fail(Failure::bad_answer, at);
    const bool interim = head.status / 100 == 1;
    if (interim && ++interim_answers_ > interim_answers_max) return fail(Failure::bad_answer, at);
    if (!interim && take_head(head, at) == State::over) return State::over;
    head_.erase(0, *end);
    scanned = 0;
    if (!interim) break;
  }
  std::string rest = std::move(head_);
  return feed_body(rest, at);
}

AnswerReader::State AnswerReader::take_head(const protocol::ResponseHead& head, Duration at) {
  in_body_ = true;
  sample_.head = at;
  sample_.status = head.status;
  sample_.worker = value_of(head.fields.find("x-lmb-worker"));
  sample_.queue = protocol::server_timing(value_of(head.fields.find("server-timing")), "queue");
  keep_alive_ = head.keep_alive;
  events_ = stream_ && head.status == status_ok &&
            value_of(head.fields.find(field::content_type)).starts_with("text/event-stream");
  decoder_ = protocol::BodyDecoder(head.framing, head.content_length);
  return State::reading;
}

AnswerReader::State AnswerReader::feed_body(std::span<char> bytes, Duration at) {
  const auto step = decoder_.decode(bytes);
  take_payload(std::string_view(bytes.data(), step.payload), at);
  if (step.broken || body_.size() > body_bytes_max) return fail(Failure::bad_answer, at);
  if (!decoder_.done()) return State::reading;
  // Bytes behind the answer that nobody asked for: the connection has lost its step.
  reusable_ = keep_alive_ && step.consumed == bytes.size();
  return judge(at);
}

void AnswerReader::take_payload(std::string_view payload, Duration at) {
  if (!events_) {
    body_ += payload;
    return;
  }
  if (scanner_.observe(payload).token_deltas == 0) return;
  if (!sample_.first_token) sample_.first_token = at;
  sample_.last_token = at;
}

AnswerReader::State AnswerReader::end_of_file(Duration at, bool in_order) {
  if (!in_body_) return fail(Failure::closed_before_answer, at);
  if (in_order && decoder_.may_end_by_close()) return judge(at);
  return fail(Failure::cut_answer, at);
}

AnswerReader::State AnswerReader::judge(Duration at) {
  sample_.end = at;
  sample_.failure = Failure::none;
  if (sample_.status != status_ok) {
    sample_.failure = Failure::http_status;
    note_error(body_);
  } else if (events_) {
    judge_stream();
  } else {
    judge_whole();
  }
  sample_.outcome = sample_.failure == Failure::none ? Outcome::complete : Outcome::failed;
  return State::over;
}

void AnswerReader::judge_stream() {
  if (const auto& usage = scanner_.usage(); usage && usage->generated_tokens > 0) {
    sample_.prompt_tokens = usage->prompt_tokens;
    sample_.generated_tokens = usage->generated_tokens;
    sample_.token_source = TokenSource::usage;
  } else {
    sample_.generated_tokens = scanner_.token_deltas();
    sample_.token_source = TokenSource::chunks;
  }
  if (scanner_.saw_error()) {
    sample_.failure = Failure::stream_error;
    sample_.error_message = scanner_.error_message().substr(0, error_message_max);
  } else if (!scanner_.saw_finish() && !scanner_.saw_finish_reason()) {
    sample_.failure = Failure::unfinished_stream;
  } else if (scanner_.token_deltas() == 0) {
    sample_.failure = Failure::no_token;
  }
}

void AnswerReader::judge_whole() {
  const auto verdict = protocol::judge_answer(sample_.status, body_);
  if (verdict == protocol::Verdict::lacks_route) {
    sample_.failure = Failure::no_such_route;
    note_error(body_);
    return;
  }
  if (stream_) {
    // Asked for events, got something else.
    sample_.failure = Failure::bad_answer;
    note_error(body_);
    return;
  }
  body_.reserve(body_.size() + protocol::json_padding);
  if (const auto usage = protocol::usage_of_answer(body_, protocol::Dialect::openai_chat)) {
    sample_.prompt_tokens = usage->prompt_tokens;
    sample_.generated_tokens = usage->generated_tokens;
    sample_.token_source = TokenSource::usage;
  }
  if (!nlohmann::json::accept(body_)) {
    sample_.failure = Failure::bad_answer;
  } else if (!has_content(body_)) {
    sample_.failure = Failure::no_token;
    note_error(body_);
  }
}

void AnswerReader::note_error(std::string_view body) {
  sample_.error_message = error_text(body).substr(0, error_message_max);
}

AnswerReader::State AnswerReader::fail(Failure failure, Duration at) {
  // A status that tells of a failure says more than what happened to its body.
  const bool told = sample_.status != 0 && sample_.status != status_ok;
  sample_.outcome = Outcome::failed;
  sample_.failure = told ? Failure::http_status : failure;
  sample_.end = at;
  return State::over;
}

}  // namespace lmb::bench
