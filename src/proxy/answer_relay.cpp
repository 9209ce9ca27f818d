#include "answer_relay.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "lmb/protocol/api_error.hpp"
#include "lmb/protocol/forward_head.hpp"
#include "outcome.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;
using protocol::BodyFraming;
using telemetry::Phase;
using BodyStatus = upstream::Exchange::BodyStatus;

namespace {

/// 1 MiB: what a turn may pass on before other sessions of the shard have theirs.
constexpr std::size_t reads_per_turn = 16;
/// How long a worker that has said its last word may take to end its answer.
constexpr Duration end_limit = std::chrono::seconds(1);

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
      judge_(exchange.head(), ctx.route.dialect, ctx.facts.stream,
             ctx.front.shared().options.limits),
      end_by_(ctx.front.shard().deadlines(), client.interruption().bell()),
      status_(exchange.head().status),
      framing_(choose_framing(ctx, exchange.head(), judge_.event_stream())),
      prefix_(ctx.front.borrow_buffer()) {
  if (judge_.too_large_to_hold()) note_unjudged();
  protocol::append_response_fields(exchange.head(), fields_);
  ctx.worker_wait = asked_wait(exchange.head());
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
    auto error = passed.error();
    // A client that leaves as the last word comes leaves no work behind.
    const bool done = came_whole() || judge_.said_last_word();
    if (error.kind() == ErrorKind::client_gone && done) {
      finish_answered();
      if (!client_.interruption().alone()) ctx_.enter(Phase::drain);
    }
    exchange_.close();
    // Before the commit point the retry rules say what becomes of the lease; from there on the
    // worker is free now, not when a slow client has read what there is.
    if (ctx_.committed) finish_failed(lease_, error, ctx_.prompt_hash());
    co_await end_cut_answer(error);
    ctx_.record.bytes_to_client += writer_.bytes_written();
    finish_tokens();
    co_return error;
  }
  // The slot is free now, not when a slow client has read everything.
  const auto worker = lease_.worker();
  finish_answered();
  exchange_.recycle(ctx_.front.pool(), worker);
  ctx_.enter(Phase::drain);
  Result<void> drained;
  if (writer_.pending() > 0) drained = co_await drain_client();
  ctx_.record.bytes_to_client += writer_.bytes_written();
  finish_tokens();
  ctx_.front.return_buffer(std::move(prefix_));
  co_return drained;
}

/// A stream may end well by its framing and yet be cut: some servers close their chunks when what
/// fills them dies.
bool AnswerRelay::came_whole() const {
  return given_up_ || (exchange_.complete() && (!judge_.event_stream() || judge_.told_end()));
}

void AnswerRelay::finish_answered() {
  if (const auto error = note_stream_error()) {
    return finish_failed(lease_, *error, ctx_.prompt_hash());
  }
  scheduling::Report report(scheduling::Outcome::answered);
  report.by_model = status_ < 300;
  report.last_token = ctx_.record.last_token;
  report.tokens = judge_.scanner().token_deltas();
  lease_.finish(report);
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
  while (!error && !exchange_.complete() && !given_up_) {
    auto waited = co_await wait();
    error = waited ? pump() : std::optional(waited.error());
    const bool ends = error || exchange_.complete();
    if (!ends && end_by_.passed()) error = end_unless_more();
  }
  if (error && ends_behind_last_word(*error)) error = end_for_worker();
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
    if (took_more() || stall.at() == TimePoint::max()) set_stall();
  } else if (stall.at() != TimePoint::max()) {
    stall.clear();
  }
  co_await interruption.bell().wait();
  if (const auto why = interruption.reason()) co_return *why;
  if (stall.passed()) {
    if (!took_more()) co_return Error(ErrorKind::client_stalled);
    set_stall();
  }
  if (!writer_.flush()) co_return Error(ErrorKind::client_gone);
  co_return Result<void>();
}

/// Whatever came then, but for the client's own end: the client has its whole answer.
bool AnswerRelay::ends_behind_last_word(const Error& error) const {
  return ctx_.committed && !given_up_ && judge_.said_last_word() &&
         error.kind() != ErrorKind::client_gone && error.kind() != ErrorKind::client_stalled;
}

/// The time is over in which the worker was to end its answer. While its client took nothing,
/// nobody looked whether it has.
std::optional<Error> AnswerRelay::end_unless_more() {
  if (!writer_.has_room() && !judge_.scanner().saw_finish()) {
    end_by_.set(Clock::now() + end_limit);
    return std::nullopt;
  }
  exchange_.look_for_more();
  auto error = take(exchange_.try_read_body());
  if (error || exchange_.complete() || !end_by_.passed()) return error;
  return end_for_worker();
}

/// The worker said its last word and does not end its answer: for its client it is whole.
std::optional<Error> AnswerRelay::end_for_worker() {
  given_up_ = true;
  if (client_.interruption().alone()) return take_alone({}, true);
  return send({}, true) ? std::nullopt : std::optional(Error(ErrorKind::client_gone));
}

bool AnswerRelay::took_more() {
  const auto taken = writer_.bytes_taken();
  return std::exchange(taken_, taken) < taken;
}

void AnswerRelay::set_stall() {
  client_.interruption().step().set(Clock::now() +
                                    ctx_.front.shared().options.timeouts.client_write);
}

/// One hit an answer: a slow reader meets the limit again with each read.
void AnswerRelay::note_back_pressure() {
  if (held_back_ || writer_.has_room()) return;
  held_back_ = true;
  lease_.note_held_back();
  ctx_.front.shared().metrics.count_limit_hit(writer_.full_limit());
}

net::Task<Result<void>> AnswerRelay::drain_client() {
  auto& interruption = client_.interruption();
  while (writer_.pending() > 0) {
    // Its ring may have been spent on the wait before. Then nobody waits for a slow reader.
    if (interruption.stop_level() == net::StopLevel::now) co_return Error(ErrorKind::shutting_down);
    auto waited = co_await wait();
    if (!waited) co_return waited.error();
  }
  client_.interruption().step().clear();
  co_return Result<void>();
}

/// An error event that passed after the commit point: the client has seen it, and so do the metrics
/// and the worker's health.
std::optional<Error> AnswerRelay::note_stream_error() {
  const auto error = named(judge_.judge_passed());
  if (!error) return std::nullopt;
  ctx_.note_error(error->kind());
  if (ctx_.record.worker && protocol::error_row(error->kind()).who == 'W') {
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
  const bool tell = judge_.event_stream() && framing_.kind == BodyFraming::chunked &&
                    judge_.scanner().at_event_boundary();
  if (tell) {
    const auto event = protocol::error_event(error, ctx_.route.dialect);
    if (!send(event, true)) co_return;
  }
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
  const bool cut = last && !came_whole();
  if (client_.interruption().alone()) {
    return cut ? std::optional(Error(ErrorKind::worker_closed, "the stream ended without its end"))
               : take_alone(step.payload, last);
  }
  if (ctx_.committed) {
    if (!send(step.payload, last && !cut)) return Error(ErrorKind::client_gone);
    if (cut) return Error(ErrorKind::worker_closed, "the stream ended without its end");
    return std::nullopt;
  }
  if (cut && judge_.scanner().events() > 0) {
    return Error(ErrorKind::worker_closed, "the stream ended without its end");
  }
  judge_.keep(step.payload);
  const bool ready = judge_.ready(last);
  if (!ready && !judge_.over_limit()) return std::nullopt;
  if (!ready) note_unjudged();
  if (auto error = judge()) return error;
  const auto held = judge_.take_held();
  commit(held.size());
  if (!send(held, last)) return Error(ErrorKind::client_gone);
  return std::nullopt;
}

/// The client has left, and others wait for the model that its request loads: nothing is sent any
/// more, and the answer is wanted until it shows that the model is there.
std::optional<Error> AnswerRelay::take_alone(std::string_view payload, bool last) {
  bool shown = last || judge_.scanner().token_deltas() > 0;
  if (!judge_.event_stream()) {
    judge_.keep(payload);
    shown = shown || judge_.hold() != AnswerJudge::Hold::whole || judge_.over_limit();
  }
  if (!ctx_.committed) {
    if (auto error = judge()) return error;
  }
  if (!shown) return std::nullopt;
  // What has been passed on may tell, among events, that the load failed.
  if (const auto error = named(judge_.judge_passed())) {
    finish_failed(lease_, *error, ctx_.prompt_hash());
    return Error(ErrorKind::client_gone);
  }
  scheduling::Report report(scheduling::Outcome::answered);
  report.by_model = status_ < 300;
  lease_.finish(std::move(report));
  return Error(ErrorKind::client_gone);
}

void AnswerRelay::observe(std::string_view payload) {
  if (payload.empty()) return;
  const bool finished = judge_.scanner().saw_finish();
  const auto seen = judge_.observe(payload);
  if (!judge_.event_stream()) {
    const bool of_the_model = status_ < 400 && ctx_.record.phases.open() == Phase::prefill;
    if (of_the_model) ctx_.enter(Phase::generate);
    return;
  }
  // Behind an error of its own a worker may yet go on.
  if (!finished && seen.events > 0) {
    end_by_.set(judge_.said_last_word() ? Clock::now() + end_limit : TimePoint::max());
  }
  note_response();
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
  ctx_.record.generated_tokens = judge_.scanner().token_deltas();  // Final in finish_tokens.
}

/// Before the client can have seen the id.
void AnswerRelay::note_response() {
  if (response_noted_ || judge_.response_id().empty()) return;
  response_noted_ = true;
  ctx_.front.shared().responses.remember(judge_.response_id(), lease_.worker());
}

std::optional<Error> AnswerRelay::judge() {
  auto error = named(judge_.judge(exchange_.complete()));
  note_response();
  return error;
}

/// What only the operator can mend names the worker that it concerns.
std::optional<Error> AnswerRelay::named(std::optional<Error> error) const {
  if (!error || error->kind() != ErrorKind::worker_refused_key) return error;
  return Error(error->kind(), ctx_.front.shared().dispatcher.worker_name(lease_.worker()));
}

void AnswerRelay::commit(std::size_t held_bytes) {
  ctx_.committed = true;
  ctx_.release_request();
  // A held answer is whole: what was chunked or close-delimited can be counted now.
  // A stream stays one, also when all of it came at once.
  const bool countable = framing_.kind != BodyFraming::none &&
                         !(judge_.event_stream() && framing_.kind == BodyFraming::chunked);
  if (exchange_.complete() && countable) {
    framing_.kind = BodyFraming::counted;
    framing_.content_length = held_bytes;
  }
  if (judge_.event_stream()) fields_ += "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
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
  if (judge_.scanner().unjudged_events() > 0) {
    ctx_.front.shared().metrics.count_limit_hit("limits.event_bytes");
  }
  if (const auto usage = judge_.usage()) {
    record.prompt_tokens = usage->prompt_tokens;
    record.generated_tokens = usage->generated_tokens;
    record.token_source = telemetry::TokenSource::usage;
    return;
  }
  if (status_ != 200 || !ctx_.committed) {
    record.generated_tokens = 0;
    return;
  }
  record.prompt_tokens = estimated_prompt_tokens(ctx_.facts);
  // Each delta is one token or a small burst.
  record.generated_tokens = judge_.scanner().token_deltas();
}

}  // namespace lmb::proxy
