#include "request_flow.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "attempt.hpp"
#include "lmb/net/run_on.hpp"
#include "lmb/protocol/api_error.hpp"
#include "lmb/protocol/content_coding.hpp"
#include "lmb/protocol/forward_head.hpp"
#include "lmb/protocol/traceparent.hpp"
#include "outcome.hpp"
#include "refusal.hpp"

namespace lmb::proxy {
namespace http = boost::beast::http;
using telemetry::Phase;

namespace {

/// What inspecting or inflating may cost on the shard; more is moved to the helper thread (1 ms
/// rule).
constexpr std::size_t inspect_on_shard_max = 1024 * 1024;

/// Everything of the head that is needed after the first suspension.
void take_head(RequestContext& ctx, const protocol::RequestHead& head) {
  ctx.http_1_1 = head.http_1_1;
  ctx.keep_alive = head.keep_alive;
  ctx.is_head = head.method == "HEAD";
  ctx.route = protocol::find_route(head.target);
  ctx.record.route = ctx.route.label;
  // Only methods that we know are worth a place in a log line.
  ctx.record.method = protocol::method_allowed(ctx.route, head.method) ? head.method : "other";
  ctx.record.request_id = protocol::valid_request_id(head);
  if (ctx.record.request_id.empty()) ctx.record.request_id = ctx.front.make_request_id();
  if (const auto parent = protocol::trace_parent_of(head.fields)) {
    ctx.record.trace_id = parent->trace_id;
  }
  ctx.target = head.target;
  protocol::append_request_fields(head, ctx.worker_fields);
  const auto* coding = head.fields.find(http::field::content_encoding);
  ctx.coding =
      protocol::parse_content_coding(coding == nullptr ? std::string_view() : coding->value);
  // Several lines are one list (RFC 9110 section 5.3), and lists of codings are not taken.
  if (head.fields.count(http::field::content_encoding) > 1) {
    ctx.coding = protocol::ContentCoding::unsupported;
  }
}

/// What tells of the fleet's state is for monitoring, which has no client's key.
bool needs_key(const protocol::Route& route) {
  if (route.kind == protocol::RouteKind::balanced) return true;
  return route.kind == protocol::RouteKind::local &&
         (route.label.starts_with("/v1/") || route.label.starts_with("/api/"));
}

/// Refusals that need no body.
std::optional<Error> refuse_early(const RequestContext& ctx, const protocol::RequestHead& head) {
  switch (ctx.route.kind) {
    case protocol::RouteKind::unknown:
      return Error(ErrorKind::unknown_route);
    case protocol::RouteKind::not_proxied:
      return Error(ErrorKind::not_proxied);
    case protocol::RouteKind::balanced:
    case protocol::RouteKind::local:
      break;
  }
  if (!protocol::method_allowed(ctx.route, head.method)) {
    return Error(ErrorKind::method_not_allowed);
  }
  if (head.framing == protocol::BodyFraming::counted &&
      head.content_length > ctx.front.shared().options.limits.body_bytes) {
    return Error(ErrorKind::body_too_large);
  }
  if (ctx.route.kind != protocol::RouteKind::balanced) return std::nullopt;
  if (protocol::via_names(head, ctx.front.shared().pseudonym)) return Error(ErrorKind::loop);
  if (head.framing == protocol::BodyFraming::none) return Error(ErrorKind::length_required);
  if (ctx.coding == protocol::ContentCoding::unsupported) {
    return Error(ErrorKind::unsupported_content_coding);
  }
  return std::nullopt;
}

/// Inflates if needed and reads the facts.
Result<protocol::RequestFacts> read_facts(RequestContext& ctx,
                                          const std::function<bool()>& abandoned = {}) {
  if (abandoned && abandoned()) return ErrorKind::client_gone;
  if (ctx.coding != protocol::ContentCoding::identity) {
    std::string plain;
    const auto size_max = ctx.front.shared().options.limits.body_bytes;
    const auto may_grow = [&](std::size_t bytes) -> Result<void> {
      if (abandoned && abandoned()) return ErrorKind::client_gone;
      if (!ctx.body.charge(bytes)) return ErrorKind::body_memory_full;
      return {};
    };
    auto inflated = protocol::inflate_body(ctx.body.view(), ctx.coding, size_max, plain, may_grow);
    if (!inflated) return inflated.error();
    ctx.body.replace(std::move(plain));
  }
  return protocol::inspect_request(ctx.body.view(), ctx.route.dialect);
}

Result<void> note_facts(RequestContext& ctx, Result<protocol::RequestFacts> facts) {
  if (!facts) return facts.error();
  ctx.facts = std::move(*facts);
  ctx.record.model = ctx.facts.model;
  ctx.record.stream = ctx.facts.stream;
  if (ctx.route.dialect != protocol::Dialect::openai_embeddings) {
    constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
    ctx.record.tokens_most =
        ctx.facts.max_tokens ? static_cast<std::uint64_t>(*ctx.facts.max_tokens) : unlimited;
  }
  return {};
}

bool inspects_on_shard(const RequestContext& ctx) {
  if (ctx.route.kind != protocol::RouteKind::balanced) return true;
  return ctx.coding == protocol::ContentCoding::identity && ctx.body.size() <= inspect_on_shard_max;
}

/// A place among the bodies that wait for the helper thread.
class InspectionPlace {
 public:
  explicit InspectionPlace(Shared& shared) : shared_(shared), number_(++shared.inspections) {}
  ~InspectionPlace() { --shared_.inspections; }
  InspectionPlace(const InspectionPlace&) = delete;
  InspectionPlace& operator=(const InspectionPlace&) = delete;
  [[nodiscard]] bool free() const { return number_ <= shared_.options.limits.inspections; }

 private:
  Shared& shared_;
  std::size_t number_;
};

/// What may take long is done on the helper thread, while ctx waits untouched. Who leaves meanwhile
/// makes the work end early, and waits for that.
net::Task<Result<void>> inspect_elsewhere(ClientConnection& client, RequestContext& ctx) {
  const InspectionPlace place(ctx.front.shared());
  if (!place.free()) co_return Error(ErrorKind::inspections_full);
  auto& interruption = client.interruption();
  auto abandoned = std::make_shared<std::atomic<bool>>(false);
  const auto work = [&ctx, abandoned] {
    return read_facts(ctx, [&abandoned] { return abandoned->load(); });
  };
  const auto arrival =
      net::start_on(ctx.front.shard().context().get_executor(), ctx.front.shared().helper, work);
  arrival->bell = &interruption.bell();
  std::optional<ErrorKind> why;
  while (!arrival->value && !arrival->failure) {
    co_await interruption.bell().wait();
    try {
      if (!why) why = interruption.reason();
    } catch (const std::bad_alloc&) {
      // The helper thread still reads the body.
      why = ErrorKind::out_of_memory;
    }
    if (why) abandoned->store(true);
  }
  arrival->bell = nullptr;
  if (why) co_return Error(*why);
  if (arrival->failure) std::rethrow_exception(arrival->failure);
  co_return note_facts(ctx, std::move(*arrival->value));
}

net::Task<Result<void>> answer_locally(ClientConnection& client, RequestContext& ctx) {
  const auto home = ctx.front.shard().context().get_executor();
  LocalRequest request(ctx.target, ctx.route.label, home);
  auto answer = co_await ctx.front.shared().local(std::move(request));
  if (answer.status == 0) co_return Error(answer.refusal);
  auto sent = co_await send_local(client, ctx, std::move(answer));
  co_return sent;
}

/// What the rules say after an attempt failed so. That there were too many is a hit of the limit.
scheduling::RetryDecision decide(Shared& shared, const scheduling::AttemptHistory& history,
                                 ErrorKind failure) {
  const auto decision = scheduling::decide_retry(failure, history, shared.retry, Clock::now());
  const bool spent = decision == scheduling::RetryDecision::give_up && !history.committed &&
                     history.attempts >= shared.retry.attempts_max;
  if (spent && protocol::error_row(failure).who == 'W') {
    shared.metrics.count_limit_hit("retry.attempts");
  }
  return decision;
}

/// Where the attempt failed that ends now. That the request could not be sent whole shows only when
/// its answer is awaited.
Phase phase_of(const RequestContext& ctx, ErrorKind failure) noexcept {
  return failure == ErrorKind::send_failed ? Phase::send : ctx.record.phases.open();
}

/// For the operator: what a worker did wrong, and not what its client or we did.
void note_fault(Front& front, WorkerId worker, const Error& failure) {
  if (protocol::error_row(failure.kind()).who != 'W') return;
  front.shared().metrics.count_attempt_failure(worker, failure.kind());
  front.note_fault(worker, failure);
}

/// Attempts until one is answered or the rules say stop.
net::Task<Result<void>> balance(ClientConnection& client, RequestContext& ctx) {
  auto& shared = ctx.front.shared();
  scheduling::AttemptHistory history;
  history.deadline = client.interruption().deadline().at();
  dispatch::Lease lease;
  Error last(ErrorKind::internal);
  auto failed_in = Phase::proxy;
  bool fresh = false;
  bool paid = false;
  std::uint32_t gaps = 0;
  for (;;) {
    if (!lease.held()) {
      auto acquired = co_await acquire_lease(client, ctx);
      const bool over = !acquired && ctx.record.attempts > 0;
      if (over && tells_more(last.kind(), acquired.error().kind())) {
        ctx.failed_in = failed_in;
        if (paid) shared.dispatcher.give_back_retry();
        co_return last;
      }
      if (!acquired) co_return acquired.error();
      lease = std::move(*acquired);
      // What nobody was left for is no retry.
      if (ctx.record.attempts++ > 0) shared.metrics.count_retry(*ctx.record.worker, last.kind());
    }
    auto attempted = co_await run_attempt(client, ctx, lease, fresh, history);
    if (attempted) {
      shared.route_gaps.note_answer(*ctx.record.worker, ctx.route.label);
      co_return Result<void>();
    }
    last = attempted.error();
    failed_in = phase_of(ctx, last.kind());
    const bool lacks_route = last.kind() == ErrorKind::route_unsupported;
    gaps += lacks_route ? 1U : 0U;
    history.attempts = ctx.record.attempts - gaps;
    history.committed = ctx.committed;
    history.reconnected = fresh;
    auto decision = decide(shared, history, last.kind());
    // A load that went on without its client is not tried again for nobody.
    const bool left = client.interruption().reason() == ErrorKind::client_gone;
    if (left) decision = scheduling::RetryDecision::give_up;
    const auto worker = *ctx.record.worker;
    if (lacks_route) shared.route_gaps.note(worker, ctx.route.label, Clock::now());
    // That costs no computation, so it is not paid for.
    const bool elsewhere = !lacks_route && decision == scheduling::RetryDecision::another_worker;
    paid = elsewhere && shared.dispatcher.take_retry();
    if (elsewhere && !paid) {
      decision = scheduling::RetryDecision::give_up;
      shared.metrics.count_limit_hit("retry.budget_percent");
    }
    note_fault(ctx.front, worker, last);
    if (decision == scheduling::RetryDecision::same_worker_fresh_connection) {
      fresh = true;
      lease.note_unsent();
      shared.metrics.count_retry(worker, last.kind());
      continue;
    }
    // What was loaded is gone, and only that: the same worker may load it again.
    const bool again = tells_gone(lease.slot(), last);
    finish_failed(lease, last, ctx.prompt_hash());
    if (left) co_return Error(ErrorKind::client_gone);
    ctx.failed_in = failed_in;
    if (decision == scheduling::RetryDecision::give_up) co_return last;
    ctx.failed_in.reset();
    const bool not_loaded =
        last.kind() == ErrorKind::model_unavailable || last.kind() == ErrorKind::load_timeout;
    if (!again) (not_loaded ? ctx.cannot_load : ctx.tried).insert(worker);
    ctx.enter(Phase::proxy);
    fresh = false;
  }
}

/// Writes the request's record when it ends, also if its session is dropped or an exception passes.
class Finish {
 public:
  Finish(ClientConnection& client, RequestContext& ctx) noexcept : client_(client), ctx_(ctx) {}
  ~Finish() {
    if (!regular_) note_cut();
    ctx_.record.bytes_from_client = client_.take_consumed();
    ctx_.record.phases.stop(Clock::now());
    ctx_.front.shared().metrics.record(ctx_.record);
    ctx_.front.access_log().record(ctx_.record);
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;
  /// The request came to its own end.
  void regular() noexcept { regular_ = true; }

 private:
  void note_cut() noexcept {
    const bool stopping = client_.interruption().stop_level() == net::StopLevel::now;
    ctx_.failed_in.reset();
    ctx_.note_error(stopping ? ErrorKind::shutting_down : ErrorKind::internal);
  }

  ClientConnection& client_;
  RequestContext& ctx_;
  bool regular_ = false;
};

/// All that needs the head, whose views end with the first wait; takes what has come of the body.
std::optional<Error> begin(ClientConnection& client, RequestContext& ctx,
                           const protocol::RequestHead& head, protocol::BodyDecoder& decoder) {
  take_head(ctx, head);
  const auto limit = ctx.front.shared().options.timeouts.request;
  client.interruption().deadline().set(add_saturated(ctx.record.phases.begun(), limit));
  const auto identified = client.identify(head);
  if (identified) ctx.record.client = client.identity().name;
  auto error = refuse_early(ctx, head);
  if (!error && !identified && needs_key(ctx.route)) error = identified.error();
  if (!error) {
    if (head.expect_continue && !decoder.done()) client.send_continue();
    error = client.take_payload(decoder, ctx);
  }
  // What the client may still send of its body would be taken for the next request.
  if (error && head.framing != protocol::BodyFraming::none) ctx.keep_alive = false;
  return error;
}

/// The request is complete: from here on the client is watched.
void begin_work(ClientConnection& client, RequestContext& ctx) {
  client.keep_unread();
  ctx.enter(Phase::proxy);
  client.interruption().watch(client.stream(), ctx.front.shared().options.client_half_close);
  if (client.interruption().stop_level() != net::StopLevel::none) ctx.keep_alive = false;
}

std::optional<Error> error_in(Result<void> result) {
  if (result) return std::nullopt;
  return result.error();
}

/// The request from its head to the end of its answer.
net::Task<Result<void>> serve(ClientConnection& client, RequestContext& ctx,
                              const protocol::RequestHead& head) {
  protocol::BodyDecoder decoder(head.framing, head.content_length);
  if (auto error = begin(client, ctx, head, decoder)) co_return std::move(*error);
  if (!decoder.done()) {
    auto read = co_await client.read_body(decoder, ctx);
    if (!read) {
      ctx.keep_alive = false;
      co_return read.error();
    }
  }
  begin_work(client, ctx);
  Result<void> inspected;
  if (!inspects_on_shard(ctx)) {
    inspected = co_await inspect_elsewhere(client, ctx);
  } else if (ctx.route.kind == protocol::RouteKind::balanced) {
    inspected = note_facts(ctx, read_facts(ctx));
  }
  if (!inspected) co_return inspected.error();
  if (ctx.route.kind == protocol::RouteKind::local) {
    auto answered = co_await answer_locally(client, ctx);
    co_return answered;
  }
  auto answered = co_await balance(client, ctx);
  co_return answered;
}

}  // namespace

net::Task<void> handle_request(ClientConnection& client, RequestContext& ctx,
                               const protocol::RequestHead& head) {
  Finish finish(client, ctx);
  std::optional<Error> error;
  try {
    auto served = co_await serve(client, ctx, head);
    error = error_in(std::move(served));
  } catch (const std::bad_alloc&) {
    // What the request holds may be what is lacking.
    ctx.release_request();
    error.emplace(ErrorKind::out_of_memory);
  }
  client.keep_unread();
  if (error) co_await refuse(client, ctx, std::move(*error));
  client.interruption().unwatch();
  client.interruption().deadline().clear();
  client.interruption().step().clear();
  finish.regular();
}

net::Task<void> refuse_head(ClientConnection& client, RequestContext& ctx, Error error) {
  Finish finish(client, ctx);
  if (error.detail() == protocol::tls_on_plain_port) ctx.front.note_tls_client();
  ctx.keep_alive = false;
  ctx.is_head = client.asks_head();
  ctx.record.method = "other";
  ctx.record.request_id = ctx.front.make_request_id();
  co_await refuse(client, ctx, std::move(error));
  finish.regular();
}

}  // namespace lmb::proxy
