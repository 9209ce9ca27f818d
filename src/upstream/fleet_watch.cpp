#include "lmb/upstream/fleet_watch.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "lmb/base/assert.hpp"
#include "lmb/http/client.hpp"
#include "lmb/net/await_asio.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/protocol/worker_answer.hpp"
#include "lmb/telemetry/log.hpp"

namespace lmb::upstream {
namespace asio = boost::asio;

namespace {

/// How often a worker that loads a model is asked whether it has it.
constexpr Duration load_look_interval = std::chrono::seconds(1);

constexpr std::array<std::string_view, 3> model_lists{"/api/v1/models", "/api/v0/models",
                                                      "/v1/models"};

std::string text_of(const Error& error) {
  std::string text(to_string(error.kind()));
  // How a limit of ours ended the call says nothing.
  if (error.cause() && error.cause() != asio::error::operation_aborted)
    text += ": " + error.cause().message();
  return text;
}

http::FetchRequest get(const WorkerAddress& address, std::string_view target, Duration timeout) {
  http::FetchRequest request("GET", std::string(target),
                             net::host_field_text(address.host, address.port));
  if (!address.api_key.empty()) {
    request.fields.emplace_back("Authorization", "Bearer " + address.api_key);
  }
  request.timeout = timeout;
  return request;
}

/// What lasts is told once.
void warn_of_change(const WorkerAddress& address, std::string& last, std::string what) {
  if (last == what) return;
  telemetry::log(telemetry::LogLevel::warn, "worker " + address.name + ": probe: " + what);
  last = std::move(what);
}

}  // namespace

/// What look_again() and look-ups need of the coroutine that watches a worker; shown to them for as
/// long as it lives.
struct FleetWatch::Watcher {
  Watcher(FleetWatch& watch, Target& its_target)
      : target(its_target),
        next_probe(watch.shard_.deadlines(), bell),
        next_look(watch.shard_.deadlines(), bell),
        stop(watch.group_, bell) {
    target.watcher = this;
  }
  ~Watcher() { target.watcher = nullptr; }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  [[nodiscard]] bool stopped() const {
    return target.removed || stop.level() != net::StopLevel::none;
  }

  Target& target;
  net::Bell bell;
  net::Deadline next_probe;
  net::Deadline next_look;  ///< At a worker that loads a model.
  net::StopWatch stop;
};

FleetWatch::FleetWatch(net::Shard& shard, Setup setup)
    : shard_(shard),
      options_(setup.options),
      news_(std::move(setup.news)),
      resolver_(shard.context().get_executor(), std::move(setup.look_up)),
      group_(std::move(setup.on_escape)) {
  for (auto& address : setup.workers) {
    auto target = std::make_shared<Target>();
    target->address = std::move(address);
    target->id = WorkerId(static_cast<std::uint32_t>(targets_.size()));
    targets_.push_back(std::move(target));
  }
}

void FleetWatch::start() {
  for (const auto& target : targets_) group_.spawn(watch(target));
}

void FleetWatch::add(WorkerId place, WorkerAddress address) {
  if (targets_.size() <= place.value()) targets_.resize(place.value() + 1);
  auto& target = targets_[place.value()];
  LMB_ASSERT(target == nullptr);
  target = std::make_shared<Target>();
  target->address = std::move(address);
  target->id = place;
  group_.spawn(watch(target));
}

void FleetWatch::remove(WorkerId worker) {
  const auto target = std::exchange(targets_[worker.value()], nullptr);
  LMB_ASSERT(target != nullptr);
  target->removed = true;
  if (target->watcher != nullptr) target->watcher->bell.ring();
}

void FleetWatch::set_key(WorkerId worker, std::string api_key) {
  auto* target = find(worker);
  LMB_ASSERT(target != nullptr);
  target->address.api_key = std::move(api_key);
  target->soon = true;
  if (target->watcher != nullptr) target->watcher->next_probe.set(Clock::now());
}

FleetWatch::Target* FleetWatch::find(WorkerId worker) noexcept {
  return worker.value() < targets_.size() ? targets_[worker.value()].get() : nullptr;
}

net::Task<void> FleetWatch::watch(TargetPointer kept) {
  auto& target = *kept;
  Watcher watcher(*this, target);
  while (!watcher.stopped()) {
    ProbeResult result;
    result.begun = Clock::now();
    target.probed_at = result.begun;
    target.our_lack = false;
    target.soon = false;
    target.late = false;
    if (result.begun >= target.look_up_at) look_up(kept);
    watcher.next_probe.set(result.begun + options_.probe_timeout);
    while (target.endpoints.empty() && target.looking_up && !watcher.next_probe.passed() &&
           !watcher.stopped()) {
      co_await watcher.bell.wait();
    }
    if (watcher.stopped()) co_return;
    result.alive = co_await probe(target);
    if (target.removed) co_return;
    result.took = Clock::now() - result.begun;
    // One address that took the connection says more than others that nobody listens on.
    result.connected = !result.alive && target.late;
    result.timed_out =
        !result.alive && (target.late || target.failure == ErrorKind::connect_timeout);
    if (result.alive) target.last_failure.clear();
    if (!result.alive) target.afresh = true;
    // Without a descriptor for a probe nothing is known of the worker.
    if (!target.our_lack) news_.on_probe(target.id, result);
    watcher.next_probe.set(target.soon ? soonest_probe(target)
                                       : result.begun + options_.probe_interval);
    co_await rest(watcher);
  }
}

net::Task<void> FleetWatch::rest(Watcher& watcher) {
  auto& target = watcher.target;
  while (!watcher.next_probe.passed() && !watcher.stopped()) {
    watcher.next_look.set(Clock::now() + load_look_interval);
    co_await watcher.bell.wait();
    const bool look = watcher.next_look.passed() && !target.endpoints.empty();
    if (!look || watcher.stopped() || !news_.loading || !news_.loading(target.id)) continue;
    // Not a probe: a worker that is slow because it loads is not ill.
    const auto endpoint = target.endpoints.front();
    co_await read_models(target, endpoint);
  }
}

void FleetWatch::look_again(WorkerId worker) {
  auto* target = find(worker);
  if (target == nullptr) return;
  target->look_up_at = Clock::now();
  probe_soon(*target);
}

void FleetWatch::read_again(WorkerId worker) {
  auto* target = find(worker);
  if (target == nullptr) return;
  target->catalogue.reset();
  ++target->doubts;
  probe_soon(*target);
}

TimePoint FleetWatch::soonest_probe(const Target& target) {
  constexpr Duration pause = std::chrono::seconds(1);
  return std::max(Clock::now(), target.probed_at + pause);
}

/// One that is under way may have asked too early: another one follows it.
void FleetWatch::probe_soon(Target& target) {
  target.soon = true;
  if (target.watcher == nullptr) return;
  auto& next_probe = target.watcher->next_probe;
  const auto soonest = soonest_probe(target);
  if (soonest < next_probe.at()) next_probe.set(soonest);
}

net::Task<bool> FleetWatch::probe(Target& target) {
  if (target.endpoints.empty() && target.looking_up) {
    note_failure(target, ErrorKind::connect_failed,
                 "cannot resolve " + target.address.host + ": no answer from the name server yet");
  }
  // A look-up may bring others meanwhile.
  const auto endpoints = target.endpoints;
  for (const auto& endpoint : endpoints) {
    const bool alive = co_await probe_at(target, endpoint);
    target.late = target.late || (!alive && target.failure == ErrorKind::request_timeout);
    if (!alive) continue;
    lead(target, endpoint);
    co_return true;
  }
  target.look_up_at = Clock::now();
  co_return false;
}

net::Task<bool> FleetWatch::probe_at(Target& target, asio::ip::tcp::endpoint endpoint) {
  auto request = get(target.address, "/lmstudio-greeting", options_.probe_timeout);
  auto answer = co_await fetch(endpoint, std::move(request));
  if (!answer) {
    note_failure(target, answer.error());
    co_return false;
  }
  const bool alive = co_await read_models(target, endpoint);
  co_return alive;
}

void FleetWatch::lead(Target& target, const asio::ip::tcp::endpoint& endpoint) {
  const auto found = std::find(target.endpoints.begin(), target.endpoints.end(), endpoint);
  if (target.removed) return;
  if (found == target.endpoints.end() || found == target.endpoints.begin()) return;
  std::rotate(target.endpoints.begin(), found, found + 1);
  news_.on_endpoints(target.id, target.endpoints);
}

void FleetWatch::look_up(const TargetPointer& target) {
  if (target->looking_up) return;
  target->looking_up = true;
  target->look_up_at = Clock::now() + options_.resolve_interval;
  resolver_.begin(
      target->address.host, target->address.port,
      [this, target](Result<net::Endpoints> result) { looked_up(*target, std::move(result)); });
}

void FleetWatch::looked_up(Target& target, Result<net::Endpoints> result) {
  target.looking_up = false;
  if (target.removed) return;
  // An upgraded LM Studio, or another machine by that name, may have a richer list.
  target.afresh = true;
  const bool first = target.endpoints.empty();
  if (result) target.look_up_failure.clear();
  if (!result) {
    const auto& error = result.error();
    target.look_up_at = Clock::now();
    if (first) {
      target.our_lack = error.kind() == ErrorKind::internal;
      note_failure(target, error.kind(), error.detail());
    } else {
      warn_of_change(target.address, target.look_up_failure, error.detail());
    }
  } else if (!std::is_permutation(result->begin(), result->end(), target.endpoints.begin(),
                                  target.endpoints.end())) {
    // The same addresses in another order are no news: the one that answers leads already.
    target.endpoints = std::move(*result);
    news_.on_endpoints(target.id, target.endpoints);
  }
  if (!first || target.watcher == nullptr) return;
  if (!target.endpoints.empty()) target.watcher->next_probe.set(Clock::now());
  target.watcher->bell.ring();
}

net::Task<bool> FleetWatch::read_models(Target& target, asio::ip::tcp::endpoint endpoint) {
  // Whoever asks for a fresh start while an answer is under way gets it the next time.
  const auto first = std::exchange(target.afresh, false) ? 0 : target.list_index;
  for (std::size_t tried = 0; tried < model_lists.size(); ++tried) {
    const auto index = (first + tried) % model_lists.size();
    const auto doubts = target.doubts;
    auto request = get(target.address, model_lists[index], options_.probe_timeout);
    auto answer = co_await fetch(endpoint, std::move(request));
    if (!answer) {
      note_failure(target, answer.error());
      co_return false;
    }
    if (answer->status == 401 || answer->status == 403) {
      note_failure(target, ErrorKind::worker_refused_key,
                   "refuses our key: set workers[].api_key or workers[].api_key_env");
      co_return false;
    }
    auto catalogue = protocol::parse_model_list(answer->body);
    if (!catalogue) continue;
    // Kept until the worker fails or its name is looked up again.
    target.list_index = index;
    // One that was asked for before it was doubted may be the wrong one again; but who doubts
    // without end must not keep every list away.
    target.dropped = doubts != target.doubts && !target.dropped;
    if (!target.dropped && !target.removed && target.catalogue != *catalogue) {
      target.catalogue = *catalogue;
      news_.on_catalogue(target.id, *catalogue);
    }
    co_return true;
  }
  note_failure(target, ErrorKind::bad_response, "no model list: is this LM Studio's server?");
  co_return false;
}

net::Task<Result<http::FetchedAnswer>> FleetWatch::fetch(asio::ip::tcp::endpoint endpoint,
                                                         http::FetchRequest request) {
  return net::await_asio(shard_.context().get_executor(),
                         http::fetch(endpoint, std::move(request)));
}

void FleetWatch::note_failure(Target& target, const Error& error) {
  target.our_lack = error.cause() && net::is_our_lack(error.cause());
  note_failure(target, error.kind(), text_of(error));
}

void FleetWatch::note_failure(Target& target, ErrorKind kind, std::string what) {
  target.failure = kind;
  if (target.removed) return;
  news_.on_failure(target.id, kind);
  warn_of_change(target.address, target.last_failure, std::move(what));
}

}  // namespace lmb::upstream
