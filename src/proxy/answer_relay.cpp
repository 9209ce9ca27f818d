#include "answer_relay.hpp"

#include <array>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <utility>

#include "lmb/base/utf8.hpp"
#include "lmb/protocol/api_error.hpp"
#include "lmb/protocol/forward_head.hpp"
#include "lmb/protocol/worker_answer.hpp"
#include "outcome.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;
using protocol::BodyFraming;
using telemetry::Phase;
using BodyStatus = upstream::Exchange::BodyStatus;

namespace {

bool is_event_stream(const protocol::ResponseHead& head) {
  const auto* type = head.fields.find(boost::beast::http::field::content_type);
  constexpr std::string_view wanted = "text/event-stream";
  return type != nullptr && boost::beast::iequals(type->value.substr(0, wanted.size()), wanted);
}

/// 1 MiB: what a turn may pass on before other sessions of the shard have theirs.
constexpr std::size_t reads_per_turn = 16;

void append_chunk_size(std::size_t size, std::string& out) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
  out.append(digits.data(), end.ptr);
  out += "\r\n";
}

}  // namespace

AnswerRelay::AnswerRelay(ClientConnection& client, RequestContext& ctx,
                         upstream::Exchange& exchange, dispatch::Lease& lease,
                         RunningAttempt& attempt)
    : client_(client),
      ctx_(ctx),
      exchange_(exchange),
      lease_(lease),
      attempt_(attempt),
      writer_(client.stream(), ctx.front.shared().stream_memory,
              ctx.front.shared().options.limits.stream_buffer),
      event_stream_(exchange.head().status == 200 && is_event_stream(exchange.head())),
      status_(exchange.head().status),
      prefix_(ctx.front.borrow_buffer()),
      scanner_(ctx.route.dialect) {
  hold_ = choose_hold(event_stream_);
  framing_ = choose_framing(ctx, exchange.head(), event_stream_);
  protocol::append_response_fields(exchange.head(), fields_);
  ctx.worker_wait = asked_wait(exchange.head());
}

AnswerRelay::Hold AnswerRelay::choose_hold(bool event_stream) const {
  if (event_stream) return Hold::first_event;
  const auto& head = exchange_.head();
  if (head.status >= 400 || head.framing == BodyFraming::none) return Hold::whole;
  if (head.framing != BodyFraming::counted) return Hold::first_byte;
  if (head.content_length <= ctx_.front.shared().options.limits.held_answer) return Hold::whole;
  note_unjudged();
  return Hold::first_byte;
}

/// The answer is larger than what may be held: it passes on unjudged.
void AnswerRelay::note_unjudged() const {
  ctx_.front.shared().metrics.count_limit_hit("limits.held_answer");
}

net::Task<Result<void>> AnswerRelay::run() {
  auto passed = co_await pass_answer();
  // A wait on a worker that has ended would be ready at once, again and again.
  worker_done_ = true;
  attempt_.end();
  if (!passed) {
    exchange_.close();
    auto error = passed.error();
    // Before the commit point the retry rules say what becomes of the lease; from there on the
    // worker is free now, not when a slow client has read what there is.
    if (ctx_.committed) finish_failed(lease_, error);
    co_await end_cut_answer(error);
    ctx_.record.bytes_to_client += writer_.bytes_written();
    finish_tokens();
    co_return error;
  }
  // The slot is free now, not when a slow client has read everything.
  const auto worker = lease_.worker();
  if (const auto error = note_stream_error()) finish_failed(lease_, *error);
  scheduling::Report report(scheduling::Outcome::answered);
  report.by_model = status_ < 300;
  report.last_token = ctx_.record.last_token;
  report.tokens = scanner_.token_deltas();
  lease_.finish(report);
  exchange_.recycle(ctx_.front.pool(), worker);
  ctx_.enter(Phase::drain);
  Result<void> drained;
  if (writer_.pending() > 0) drained = co_await drain_client();
  ctx_.record.bytes_to_client += writer_.bytes_written();
  finish_tokens();
  ctx_.front.return_buffer(std::move(prefix_));
  co_return drained;
}

std::optional<Error> AnswerRelay::pump() {
  for (std::size_t reads = 0; reads < reads_per_turn && writer_.has_room(); ++reads) {
    const auto step = exchange_.try_read_body();
    if (auto error = take(step)) return error;
    if (exchange_.complete() || step.status == BodyStatus::would_block) break;
  }
  return std::nullopt;
}

net::Task<Result<void>> AnswerRelay::pass_answer() {
  // The body that came with the head is taken before anything suspends.
  auto error = pump();
  while (!error && !exchange_.complete()) {
    auto waited = co_await wait();
    if (!waited) co_return waited.error();
    error = pump();
  }
  if (error) co_return std::move(*error);
  co_return Result<void>();
}

net::Task<Result<void>> AnswerRelay::wait() {
  auto& interruption = client_.interruption();
  auto& stall = interruption.step();
  if (!worker_done_) {
    note_back_pressure();
    if (writer_.has_room()) exchange_.arm_read();
  }
  if (writer_.pending() > 0) {
    client_.stream().arm_write(interruption.bell());
    const auto written = writer_.bytes_written();
    const bool progressed = std::exchange(progress_, written) != written;
    const auto limit = ctx_.front.shared().options.timeouts.client_write;
    if (progressed || stall.at() == TimePoint::max()) stall.set(Clock::now() + limit);
  } else if (stall.at() != TimePoint::max()) {
    stall.clear();
  }
  co_await interruption.bell().wait();
  if (const auto why = interruption.reason()) co_return *why;
  if (stall.passed()) co_return Error(ErrorKind::client_stalled);
  if (!writer_.flush()) co_return Error(ErrorKind::client_gone);
  co_return Result<void>();
}

/// One hit an answer: a slow reader meets the limit again with each read.
void AnswerRelay::note_back_pressure() {
  if (held_back_ || writer_.has_room()) return;
  held_back_ = true;
  lease_.note_held_back();
  ctx_.front.shared().metrics.count_limit_hit(writer_.full_limit());
}

net::Task<Result<void>> AnswerRelay::drain_client() {
  while (writer_.pending() > 0) {
    auto waited = co_await wait();
    if (!waited) co_return waited.error();
  }
  client_.interruption().step().clear();
  co_return Result<void>();
}

/// An error event that passed after the commit point: the client has seen it, and so do the metrics
/// and the worker's health.
std::optional<Error> AnswerRelay::note_stream_error() {
  if (!event_stream_ || !scanner_.saw_error()) return std::nullopt;
  const auto error =
      error_of(protocol::judge_stream_error(scanner_.error_message(), scanner_.error_type()));
  if (!error) return std::nullopt;
  ctx_.note_error(error->kind());
  if (ctx_.record.worker) {
    ctx_.front.shared().metrics.count_attempt_failure(*ctx_.record.worker, error->kind());
  }
  return error;
}

/// The worker failed after the commit point. An SDK must not take what it got for a whole answer: a
/// stream that stands between two events is ended by an error event; anything else is cut without
/// its last chunk, which clients report.
net::Task<void> AnswerRelay::end_cut_answer(const Error& error) {
  const bool client_there =
      error.kind() != ErrorKind::client_gone && error.kind() != ErrorKind::client_stalled;
  if (!ctx_.committed || !client_there || !client_.stream().is_open()) co_return;
  const bool tell =
      event_stream_ && framing_.kind == BodyFraming::chunked && scanner_.at_event_boundary();
  if (tell) {
    const auto event = protocol::error_event(error, ctx_.route.dialect);
    if (!send(event, true)) co_return;
  }
  // At the end of the program nobody waits for a slow reader.
  if (error.kind() == ErrorKind::shutting_down && writer_.pending() > 0) co_return;
  auto drained = co_await drain_client();
  ctx_.answer_ended = tell && drained;
}

/// One read's worth: observed, then held or sent.
std::optional<Error> AnswerRelay::take(upstream::Exchange::BodyStep step) {
  if (step.status == BodyStatus::would_block) return std::nullopt;
  if (step.status == BodyStatus::cut) return Error(ErrorKind::worker_closed);
  if (step.status == BodyStatus::broken) return Error(ErrorKind::bad_response, "broken framing");
  observe(step.payload);
  const bool last = exchange_.complete();
  // A stream may end well by its framing and yet be cut: some servers close their chunks when what
  // fills them dies.
  const bool told_end =
      scanner_.saw_finish() || scanner_.saw_finish_reason() || scanner_.saw_error();
  const bool cut = event_stream_ && last && !told_end;
  if (client_.interruption().alone()) {
    return cut ? std::optional(Error(ErrorKind::worker_closed, "the stream ended without its end"))
               : take_alone(step.payload, last);
  }
  if (ctx_.committed) {
    if (!send(step.payload, last && !cut)) return Error(ErrorKind::client_gone);
    if (cut) return Error(ErrorKind::worker_closed, "the stream ended without its end");
    return std::nullopt;
  }
  if (cut && scanner_.events() > 0) {
    return Error(ErrorKind::worker_closed, "the stream ended without its end");
  }
  held_.append(step.payload);
  const bool too_much = held_.size() > ctx_.front.shared().options.limits.held_answer;
  const bool ready = last || (hold_ == Hold::first_byte && !held_.empty()) ||
                     (hold_ == Hold::first_event && scanner_.events() > 0);
  if (!ready && !too_much) return std::nullopt;
  if (!ready) note_unjudged();
  if (auto error = judge()) return error;
  commit();
  const auto held = std::exchange(held_, {});
  if (!send(held, last)) return Error(ErrorKind::client_gone);
  return std::nullopt;
}

/// The client has left, and others wait for the model that its request loads: nothing is sent any
/// more, and the answer is wanted until it shows that the model is there.
std::optional<Error> AnswerRelay::take_alone(std::string_view payload, bool last) {
  bool shown = last || scanner_.token_deltas() > 0;
  if (!event_stream_ && hold_ == Hold::whole) {
    held_.append(payload);
    shown = shown || held_.size() > ctx_.front.shared().options.limits.held_answer;
  } else if (!event_stream_) {
    shown = true;
  }
  if (const auto error = judge()) return error;
  if (!shown) return std::nullopt;
  scheduling::Report report(scheduling::Outcome::answered);
  report.by_model = status_ < 300;
  lease_.finish(std::move(report));
  return Error(ErrorKind::client_gone);
}

void AnswerRelay::observe(std::string_view payload) {
  if (payload.empty()) return;
  answer_bytes_ += payload.size();
  if (!event_stream_) {
    if (ctx_.record.phases.open() == Phase::prefill) ctx_.enter(Phase::generate);
    return;
  }
  const auto seen = scanner_.observe(payload);
  if (!scanner_.response_id().empty()) note_response(scanner_.response_id());
  // Other events may come from the worker's HTTP side while its engine hangs.
  if (seen.token_deltas == 0) return;
  const auto now = Clock::now();
  lease_.note_delivery(now);
  if (!ctx_.record.first_token) {
    ctx_.record.first_token = now;
    lease_.note_first_token(now);
    ctx_.record.phases.enter(Phase::generate, now);
  }
  ctx_.record.last_token = now;
  ctx_.record.generated_tokens = scanner_.token_deltas();  // Final in finish_tokens.
}

/// Before the client can have seen the id.
void AnswerRelay::note_response(std::string_view id) {
  if (response_noted_ || id.empty()) return;
  response_noted_ = true;
  ctx_.front.shared().responses.remember(id, lease_.worker());
}

std::optional<Error> AnswerRelay::judge() {
  if (event_stream_) return judge_events();
  if (hold_ == Hold::whole && exchange_.complete()) return judge_whole();
  return std::nullopt;
}

std::optional<Error> AnswerRelay::judge_events() {
  if (scanner_.events() == 0 && exchange_.complete()) {
    return Error(ErrorKind::bad_response, "the stream ended without an event");
  }
  if (!scanner_.saw_error() || scanner_.token_deltas() > 0) return std::nullopt;
  return error_of(protocol::judge_stream_error(scanner_.error_message(), scanner_.error_type()));
}

std::optional<Error> AnswerRelay::judge_whole() {
  held_.reserve(held_.size() + protocol::json_padding);
  usage_ = protocol::usage_of_answer(held_, ctx_.route.dialect);
  if (status_ < 300) note_response(protocol::response_id_of_answer(held_, ctx_.route.dialect));
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

std::optional<Error> AnswerRelay::error_of(protocol::Verdict verdict) const {
  switch (verdict) {
    case protocol::Verdict::ok:
      return std::nullopt;
    case protocol::Verdict::client_fault:
      return Error(ErrorKind::request_refused, scanner_.error_message());
    case protocol::Verdict::worker_fault:
      return Error(ErrorKind::worker_error);
    case protocol::Verdict::bad_token:
      return Error(ErrorKind::worker_refused_key,
                   ctx_.front.shared().dispatcher.worker_name(lease_.worker()));
    case protocol::Verdict::lacks_route:
      return Error(ErrorKind::route_unsupported);
    case protocol::Verdict::lacks_model:
      return Error(ErrorKind::model_unavailable, workers_words());
  }
  return std::nullopt;
}

/// What the worker said, cut to what fits a message.
std::string AnswerRelay::workers_words() const {
  constexpr std::size_t words_max = 300;
  const auto words = event_stream_ ? scanner_.error_message() : protocol::message_of_answer(held_);
  return std::string(utf8_prefix(words, words_max));
}

void AnswerRelay::commit() {
  ctx_.committed = true;
  ctx_.release_request();
  // A held answer is whole: what was chunked or close-delimited can be counted now.
  // A stream stays one, also when all of it came at once.
  const bool countable = framing_.kind != BodyFraming::none &&
                         !(event_stream_ && framing_.kind == BodyFraming::chunked);
  if (exchange_.complete() && countable) {
    framing_.kind = BodyFraming::counted;
    framing_.content_length = held_.size();
  }
  if (event_stream_) fields_ += "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
  if (client_.interruption().stop_level() != net::StopLevel::none) ctx_.keep_alive = false;
  ctx_.close_delimited = framing_.kind == BodyFraming::until_close;
  // The phases that are over must be in Server-Timing: close the open one.
  ctx_.enter(ctx_.record.phases.open());
  append_answer_head(ctx_, status_, fields_, framing_, prefix_);
}

bool AnswerRelay::send(std::string_view payload, bool last) {
  std::string_view tail;
  if (framing_.kind == BodyFraming::chunked) {
    if (!payload.empty()) append_chunk_size(payload.size(), prefix_);
    if (last) {
      tail = payload.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
    } else if (!payload.empty()) {
      tail = "\r\n";
    }
  }
  if (prefix_.empty() && payload.empty() && tail.empty()) return true;
  const ClientWriter::Buffers buffers{asio::buffer(prefix_.data(), prefix_.size()),
                                      asio::buffer(payload.data(), payload.size()),
                                      asio::buffer(tail.data(), tail.size())};
  const bool sent = writer_.write(buffers);
  prefix_.clear();
  return sent;
}

void AnswerRelay::finish_tokens() {
  auto& record = ctx_.record;
  if (event_stream_) usage_ = scanner_.usage();
  if (usage_ && protocol::believable(*usage_, answer_bytes_)) {
    record.prompt_tokens = usage_->prompt_tokens;
    record.generated_tokens = usage_->generated_tokens;
    record.token_source = telemetry::TokenSource::usage;
    return;
  }
  if (status_ != 200 || !ctx_.committed) {
    record.generated_tokens = 0;
    return;
  }
  record.prompt_tokens = estimated_prompt_tokens(ctx_.facts);
  // Each delta is one token or a small burst.
  record.generated_tokens = scanner_.token_deltas();
}

}  // namespace lmb::proxy
