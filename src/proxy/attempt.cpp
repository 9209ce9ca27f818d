#include "attempt.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "answer_relay.hpp"
#include "lmb/base/json_string.hpp"
#include "lmb/net/options.hpp"
#include "lmb/scheduling/nearest_names.hpp"
#include "lmb/upstream/exchange.hpp"

namespace lmb::proxy {
namespace asio = boost::asio;
using telemetry::Phase;

namespace {

/// The model as the forwarded body must name it, as a JSON string; empty = as the client did.
std::string model_for(const scheduling::Slot& slot) {
  std::string name;
  if (slot.rename) append_json_string(name, *slot.id);
  return name;
}

/// The client's body, with `model` in the place of what it named. Nothing else of it changes.
upstream::Outgoing make_request(std::string_view head, const RequestContext& ctx,
                                std::string_view model) {
  const auto body = ctx.body.view();
  if (model.empty()) return {head, body};
  const auto& facts = ctx.facts;
  return {head, body.substr(0, facts.model_begin), model,
          body.substr(facts.model_begin + facts.model_size)};
}

std::string make_worker_head(const ClientConnection& client, const RequestContext& ctx,
                             WorkerId worker, std::size_t body_bytes) {
  const auto& shared = ctx.front.shared();
  const auto& address = ctx.front.directory().address(worker);
  std::string head = ctx.front.borrow_buffer();
  head += "POST ";
  head += ctx.target;
  head += " HTTP/1.1\r\nHost: ";
  head += net::host_field_text(address.host, address.port);
  head += "\r\nContent-Length: ";
  head += std::to_string(body_bytes);
  if (!address.api_key.empty()) {
    head += "\r\nAuthorization: Bearer ";
    head += address.api_key;
  }
  head += "\r\nX-Forwarded-For: ";
  head += client.forwarded_for();
  head += "\r\nX-Request-Id: ";
  head += ctx.record.request_id;
  head += "\r\n";
  head += ctx.worker_fields;
  // Behind the client's own Via lines: their order is the way that the request took (RFC 9110
  // section 7.6.3).
  head += ctx.http_1_1 ? "Via: 1.1 " : "Via: 1.0 ";
  head += shared.pseudonym;
  head += "\r\n\r\n";
  return head;
}

/// From here on the request may have made the worker load its model. While others wait for that,
/// the client's leaving does not end it: LM Studio would perhaps go on loading, and the next of
/// them would make it load the model once more beside it.
void keep_load(ClientConnection& client, RequestContext& ctx, const dispatch::Lease& lease) {
  if (!lease.slot().cold) return;
  auto wanted = [&client, &ctx, slot = lease.slot()] {
    if (client.interruption().stop_level() != net::StopLevel::none) return false;
    if (!ctx.front.shared().dispatcher.awaited(slot)) return false;
    client.stream().close();
    ctx.release_request();
    return true;
  };
  client.interruption().outlast_client(std::move(wanted));
}

net::Task<Result<void>> connect(upstream::Exchange& exchange, RequestContext& ctx,
                                WorkerId worker) {
  ctx.enter(Phase::connect);
  const auto known = ctx.front.directory().find(worker);
  std::vector<asio::ip::tcp::endpoint> endpoints(known.begin(), known.end());
  auto connected = co_await exchange.connect(std::move(endpoints));
  co_return connected;
}

/// Connection and request: what comes before the answer. What needs no wait is done without one.
net::Task<Result<void>> ask(ClientConnection& client, RequestContext& ctx,
                            upstream::Exchange& exchange, dispatch::Lease& lease, bool fresh) {
  const auto worker = lease.worker();
  const bool pooled = !fresh && exchange.open_pooled(ctx.front.pool(), worker);
  if (!pooled) {
    auto connected = co_await connect(exchange, ctx, worker);
    if (!connected) co_return connected.error();
  }
  ctx.front.shared().metrics.count_connection(worker, pooled);
  ctx.enter(Phase::send);
  const auto model = model_for(lease.slot());
  const auto replaced = model.empty() ? 0 : ctx.facts.model_size;
  auto head = make_worker_head(client, ctx, worker, ctx.body.size() - replaced + model.size());
  auto request = make_request(head, ctx, model);
  lease.note_sent(Clock::now());
  if (!exchange.try_send(request)) {
    auto sent = co_await exchange.send(request);
    if (!sent) co_return sent.error();
  }
  ctx.front.return_buffer(std::move(head));
  ctx.enter(Phase::prefill);
  keep_load(client, ctx, lease);
  auto headed = co_await exchange.read_head(false);
  co_return headed;
}

struct Eligibility {
  /// Workers that lack its route, and all but its home.
  scheduling::WorkerSet lacking;
  std::optional<WorkerId> home;  ///< The one that made the response which it goes on from.
};

/// Who may serve the request. Errors: response_unknown, response_away.
Result<Eligibility> eligibility(const RequestContext& ctx, TimePoint now) {
  auto& shared = ctx.front.shared();
  const auto lacking = shared.route_gaps.of(ctx.route.label, now);
  const auto& previous = ctx.facts.previous_response;
  if (previous.empty()) return Eligibility{lacking, std::nullopt};
  const auto home =
      shared.responses.find(previous, ctx.front.directory().members(), shared.dispatcher);
  switch (home.verdict) {
    case scheduling::HomeVerdict::any:
      return Eligibility{lacking, std::nullopt};
    case scheduling::HomeVerdict::unknown:
      return Error(ErrorKind::response_unknown);
    case scheduling::HomeVerdict::away:
      return Error(ErrorKind::response_away, shared.dispatcher.worker_name(home.worker));
    case scheduling::HomeVerdict::known:
      break;
  }
  scheduling::WorkerSet others(~std::uint64_t{0});
  others.erase(home.worker);
  return Eligibility{lacking | others, home.worker};
}

/// Why nobody has the request though nobody failed it: who has the model lacks the route, or has
/// not the response.
Error nobody_eligible(const RequestContext& ctx, const std::optional<WorkerId>& home) {
  const auto& shared = ctx.front.shared();
  if (!home || shared.route_gaps.of(ctx.route.label, Clock::now()).contains(*home)) {
    return Error(ErrorKind::route_unsupported);
  }
  return Error(ErrorKind::response_away,
               shared.dispatcher.worker_name(*home) + ", which does not have this model");
}

/// What the client can do about a refusal, where more is known than its kind.
Error explain(const Error& refusal, std::string_view model,
              const dispatch::Dispatcher& dispatcher) {
  if (refusal.kind() == ErrorKind::model_unavailable) {
    return Error(refusal.kind(), dispatcher.load_error(model));
  }
  if (refusal.kind() != ErrorKind::model_not_found) return refusal;
  const auto names = dispatcher.model_names();
  std::string text;
  for (const auto& name : scheduling::nearest_names(model, *names)) {
    if (name == model) continue;  // An alias whose model is nowhere.
    text += text.empty() ? "did you mean " : " or ";
    append_json_string(text, name);
  }
  if (!text.empty()) text += '?';
  return Error(refusal.kind(), std::move(text));
}

/// What the brain is asked for. `lacking`: see Eligibility.
scheduling::Demand demand_of(ClientConnection& client, const RequestContext& ctx,
                             scheduling::WorkerSet lacking) {
  const auto& queue = ctx.front.shared().options.queue;
  const auto most = ctx.facts.stream ? queue.stream : queue.other;
  // One limit for the whole request, however often it is tried.
  const auto now = Clock::now();
  const auto& phases = ctx.record.phases;
  auto waited = phases.spent(Phase::queue);
  if (phases.open() == Phase::queue) waited += now - phases.since();
  const auto wait = std::max(Duration::zero(), most - waited);
  scheduling::Demand demand;
  demand.model = ctx.facts.model;
  demand.tried = ctx.tried | lacking;
  demand.lacking = lacking - ctx.tried;
  demand.cannot_load = ctx.cannot_load;
  demand.again = ctx.record.attempts > 0;
  demand.stream = ctx.facts.stream;
  demand.acts = ctx.facts.acts;
  // What a stored conversation adds to the prompt is not known.
  const bool goes_on = !ctx.facts.previous_response.empty();
  demand.prompt_tokens = goes_on ? 0 : estimated_prompt_tokens(ctx.facts);
  demand.deadline = std::min(add_saturated(now, wait), client.interruption().deadline().at());
  return demand;
}

/// Workers that could have served it then cannot now.
bool is_lost(const Error& error) {
  return error.kind() == ErrorKind::no_worker || error.kind() == ErrorKind::model_unavailable;
}

net::Task<Result<dispatch::Lease>> wait_for_lease(ClientConnection& client, RequestContext& ctx,
                                                  const scheduling::Demand& demand,
                                                  bool& all_tried) {
  dispatch::Acquisition acquisition(ctx.front.shared().dispatcher, ctx.front.shard().index(),
                                    demand, client.interruption().bell());
  if (!acquisition.settled()) ctx.enter(Phase::queue);
  while (!acquisition.settled()) {
    co_await client.interruption().bell().wait();
    if (const auto why = client.interruption().reason()) co_return *why;
  }
  all_tried = acquisition.all_tried();
  auto lease = acquisition.take();
  // A refusal keeps the phase: it tells where the request ended.
  if (lease && ctx.record.phases.open() == Phase::queue) ctx.enter(Phase::proxy);
  co_return lease;
}

}  // namespace

net::Task<Result<dispatch::Lease>> acquire_lease(ClientConnection& client, RequestContext& ctx) {
  const auto& dispatcher = ctx.front.shared().dispatcher;
  const auto eligible = eligibility(ctx, Clock::now());
  if (!eligible) co_return eligible.error();
  bool all_tried = false;
  const auto demand = demand_of(client, ctx, eligible->lacking);
  auto lease = co_await wait_for_lease(client, ctx, demand, all_tried);
  // The model's last worker was lost while this waited: its fallback is chosen anew.
  if (!lease && is_lost(lease.error()) && !all_tried && dispatcher.servable(demand)) {
    const auto rest = demand_of(client, ctx, eligible->lacking);
    lease = co_await wait_for_lease(client, ctx, rest, all_tried);
  }
  if (lease) co_return lease;
  const bool away = eligible->home && lease.error().kind() == ErrorKind::no_worker && !all_tried;
  if (away) {
    co_return Error(ErrorKind::response_away, dispatcher.worker_name(*eligible->home));
  }
  if (all_tried && (ctx.tried | ctx.cannot_load).empty()) {
    co_return nobody_eligible(ctx, eligible->home);
  }
  co_return explain(lease.error(), ctx.facts.model, dispatcher);
}

net::Task<Result<void>> run_attempt(ClientConnection& client, RequestContext& ctx,
                                    dispatch::Lease& lease, bool fresh,
                                    scheduling::AttemptHistory& history) {
  const auto worker = lease.worker();
  ctx.record.worker = worker;
  // What an attempt that failed had brought is none of this one's.
  ctx.record.first_token.reset();
  ctx.record.last_token.reset();
  ctx.record.generated_tokens = 0;
  upstream::Exchange exchange(ctx.front.shard(), client.interruption(), ctx.front.shared().upstream,
                              ctx.front.response_head());
  RunningAttempt running(ctx.front.attempts(), ctx.record, lease.slot().grant,
                         client.interruption());
  auto result = co_await ask(client, ctx, exchange, lease, fresh);
  if (result) {
    AnswerRelay relay(client, ctx, exchange, lease, running);
    result = co_await relay.run();
  }
  client.interruption().outlast_client(nullptr);
  if (exchange.head_over_limit()) {
    ctx.front.shared().metrics.count_limit_hit("limits.answer_head_bytes");
  }
  history.connection_reused = exchange.reused();
  history.answer_begun = exchange.answer_begun();
  history.acts = ctx.facts.acts;
  history.sent = exchange.bytes_sent() > 0;
  ctx.record.bytes_to_worker += exchange.bytes_sent();
  ctx.record.bytes_from_worker += exchange.bytes_received();
  co_return result;
}

}  // namespace lmb::proxy
