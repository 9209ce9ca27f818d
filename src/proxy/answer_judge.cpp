#include "answer_judge.hpp"

#include <boost/beast/core/string.hpp>

#include "lmb/base/utf8.hpp"
#include "lmb/protocol/request_facts.hpp"

namespace lmb::proxy {
using protocol::BodyFraming;

namespace {

bool is_event_stream(const protocol::ResponseHead& head) {
  const auto* type = head.fields.find(boost::beast::http::field::content_type);
  constexpr std::string_view wanted = "text/event-stream";
  return head.status == 200 && type != nullptr &&
         boost::beast::iequals(type->value.substr(0, wanted.size()), wanted);
}

}  // namespace

AnswerJudge::AnswerJudge(const protocol::ResponseHead& head, protocol::Dialect dialect,
                         bool stream_asked, const Limits& limits)
    : held_max_(limits.held_answer),
      dialect_(dialect),
      status_(head.status),
      event_stream_(is_event_stream(head)),
      hold_(choose_hold(head, stream_asked)),
      scanner_(dialect, limits.event_bytes) {}

AnswerJudge::Hold AnswerJudge::choose_hold(const protocol::ResponseHead& head, bool stream_asked) {
  if (event_stream_) return Hold::first_event;
  if (head.status >= 400 || head.framing == BodyFraming::none) return Hold::whole;
  const bool counted = head.framing == BodyFraming::counted;
  // A stream of another form than events is still for its client to read as it comes.
  if (!counted) return stream_asked ? Hold::first_byte : Hold::whole;
  too_large_ = head.content_length > held_max_;
  return too_large_ ? Hold::first_byte : Hold::whole;
}

protocol::SseScanner::Seen AnswerJudge::observe(std::string_view payload) {
  body_bytes_ += payload.size();
  return event_stream_ ? scanner_.observe(payload) : protocol::SseScanner::Seen();
}

bool AnswerJudge::ready(bool complete) const noexcept {
  return complete || (hold_ == Hold::first_byte && !held_.empty()) ||
         (hold_ == Hold::first_event && scanner_.events() > 0);
}

bool AnswerJudge::told_end() const noexcept {
  // Its last event may have been too long to be looked at.
  return scanner_.saw_finish() || scanner_.saw_finish_reason() || scanner_.last_event_error() ||
         scanner_.last_event_unjudged();
}

bool AnswerJudge::said_last_word() const noexcept {
  // LM Studio's own dialect tells errors of tools among other events, and ends by chat.end.
  const bool error_ends = dialect_ != protocol::Dialect::lmstudio_chat;
  return scanner_.saw_finish() || (error_ends && scanner_.last_event_error());
}

std::string_view AnswerJudge::response_id() const noexcept {
  return event_stream_ ? std::string_view(scanner_.response_id()) : std::string_view(whole_id_);
}

std::optional<protocol::Usage> AnswerJudge::usage() const {
  const auto& told = event_stream_ ? scanner_.usage() : whole_usage_;
  return told && protocol::believable(*told, body_bytes_) ? told : std::nullopt;
}

std::optional<Error> AnswerJudge::judge(bool complete) {
  if (event_stream_) return judge_events(complete);
  // Of what passes on as it comes, the verdict must not depend on how much came at once.
  return complete && (hold_ == Hold::whole || held_.empty()) ? judge_whole() : std::nullopt;
}

std::optional<Error> AnswerJudge::judge_events(bool complete) const {
  if (scanner_.events() == 0 && complete) {
    return Error(ErrorKind::bad_response, "the stream ended without an event");
  }
  return scanner_.token_deltas() > 0 ? std::nullopt : judge_passed();
}

std::optional<Error> AnswerJudge::judge_passed() const {
  if (!scanner_.saw_error()) return std::nullopt;
  return error_of(protocol::judge_stream_error(scanner_.error_message(), scanner_.error_type()));
}

std::optional<Error> AnswerJudge::judge_whole() {
  held_.reserve(held_.size() + protocol::json_padding);
  whole_usage_ = protocol::usage_of_answer(held_, dialect_);
  if (status_ < 300) whole_id_ = protocol::response_id_of_answer(held_, dialect_);
  if (status_ < 300 && !protocol::is_whole_answer(held_)) {
    return Error(ErrorKind::bad_response, "not a JSON object");
  }
  const auto verdict = protocol::judge_answer(status_, held_);
  if (verdict == protocol::Verdict::client_fault) {
    // The client's own fault is told in the worker's own words and status, if that tells it.
    if (status_ >= 400) return std::nullopt;
    return Error(ErrorKind::request_refused, protocol::message_of_answer(held_));
  }
  return error_of(verdict);
}

std::optional<Error> AnswerJudge::error_of(protocol::Verdict verdict) const {
  switch (verdict) {
    case protocol::Verdict::ok:
      return std::nullopt;
    case protocol::Verdict::client_fault:
      return Error(ErrorKind::request_refused, scanner_.error_message());
    case protocol::Verdict::worker_fault:
      return Error(ErrorKind::worker_error);
    case protocol::Verdict::bad_token:
      return Error(ErrorKind::worker_refused_key);
    case protocol::Verdict::lacks_route:
      return Error(ErrorKind::route_unsupported);
    case protocol::Verdict::lacks_model:
      return Error(ErrorKind::model_unavailable, workers_words());
  }
  return std::nullopt;
}

/// What the worker said, cut to what fits a message.
std::string AnswerJudge::workers_words() const {
  constexpr std::size_t words_max = 300;
  const auto words = event_stream_ ? scanner_.error_message() : protocol::message_of_answer(held_);
  return std::string(utf8_prefix(words, words_max));
}

}  // namespace lmb::proxy
