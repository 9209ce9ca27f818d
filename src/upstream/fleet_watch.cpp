#include "lmb/upstream/fleet_watch.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "lmb/http/client.hpp"
#include "lmb/net/await_asio.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/resolver.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/protocol/worker_answer.hpp"
#include "lmb/telemetry/log.hpp"

namespace lmb::upstream {
namespace asio = boost::asio;

namespace {

constexpr std::array<std::string_view, 3> model_lists{"/api/v1/models", "/api/v0/models",
                                                      "/v1/models"};

std::string text_of(const Error& error) {
  std::string text(to_string(error.kind()));
  if (error.cause()) text += ": " + error.cause().message();
  return text;
}

http::FetchRequest get(const WorkerAddress& address, std::string_view target, Duration timeout) {
  http::FetchRequest request("GET", std::string(target),
                             net::host_port_text(address.host, address.port));
  if (!address.api_key.empty()) {
    request.fields.emplace_back("Authorization", "Bearer " + address.api_key);
  }
  request.timeout = timeout;
  return request;
}

}  // namespace

FleetWatch::FleetWatch(net::Shard& shard, const UpstreamOptions& options,
                       const std::vector<WorkerAddress>& workers, FleetNews news,
                       std::function<void(const char*)> on_escape)
    : shard_(shard), options_(options), news_(std::move(news)), group_(std::move(on_escape)) {
  for (const auto& address : workers) {
    Target target;
    target.address = address;
    target.id = WorkerId(static_cast<std::uint32_t>(targets_.size()));
    targets_.push_back(std::move(target));
  }
}

void FleetWatch::start() {
  for (std::size_t index = 0; index < targets_.size(); ++index) {
    group_.spawn(watch(index));
  }
}

/// Shows look_again() when the next probe is, for as long as that lives.
class FleetWatch::NextProbe {
 public:
  NextProbe(Target& target, net::Deadline& at) noexcept : target_(target) {
    target_.next_probe = &at;
  }
  ~NextProbe() { target_.next_probe = nullptr; }
  NextProbe(const NextProbe&) = delete;
  NextProbe& operator=(const NextProbe&) = delete;

 private:
  Target& target_;
};

net::Task<void> FleetWatch::watch(std::size_t index) {
  auto& target = targets_[index];
  net::Bell bell;
  net::Deadline next_probe(shard_.deadlines(), bell);
  net::StopWatch stop(group_, bell);
  const NextProbe shown(target, next_probe);
  while (stop.level() == net::StopLevel::none) {
    const auto begun = Clock::now();
    target.probed_at = begun;
    target.our_lack = false;
    const bool alive = co_await probe(target);
    if (alive) target.last_failure.clear();
    if (!alive) target.list_index = 0;
    // Without a descriptor for a probe nothing is known of the worker.
    if (!target.our_lack) news_.on_probe(target.id, alive, Clock::now() - begun);
    next_probe.set(begun + options_.probe_interval);
    while (!next_probe.passed() && stop.level() == net::StopLevel::none) {
      co_await bell.wait();
    }
  }
}

void FleetWatch::look_again(WorkerId worker) {
  constexpr Duration pause = std::chrono::seconds(1);
  auto& target = targets_[worker.value()];
  target.resolve_at = Clock::now();
  if (target.next_probe == nullptr) return;
  const auto soonest = std::max(Clock::now(), target.probed_at + pause);
  if (soonest < target.next_probe->at()) target.next_probe->set(soonest);
}

net::Task<bool> FleetWatch::probe(Target& target) {
  if (Clock::now() >= target.resolve_at) co_await resolve_name(target);
  if (target.endpoints.empty()) co_return false;
  auto request = get(target.address, "/lmstudio-greeting", options_.probe_timeout);
  // The first address that answers leads from now on.
  for (std::size_t i = 0; i < target.endpoints.size(); ++i) {
    auto request_copy = request;
    const auto endpoint = target.endpoints[i];
    auto answer = co_await fetch(endpoint, std::move(request_copy));
    if (!answer) {
      note_failure(target, answer.error());
      continue;
    }
    if (i > 0) {
      std::swap(target.endpoints[0], target.endpoints[i]);
      news_.on_endpoints(target.id, target.endpoints);
    }
    const bool alive = co_await read_models(target);
    co_return alive;
  }
  target.resolve_at = Clock::now();
  co_return false;
}

net::Task<void> FleetWatch::resolve_name(Target& target) {
  target.resolve_at = Clock::now() + options_.resolve_interval;
  target.list_index = 0;
  auto host = target.address.host;
  auto resolving = net::resolve(std::move(host), target.address.port);
  const auto home = shard_.context().get_executor();
  auto resolved = co_await net::await_asio(home, std::move(resolving));
  if (!resolved) {
    note_failure(target, resolved.error().kind(), resolved.error().detail());
    target.resolve_at = Clock::now();
    co_return;
  }
  // The same addresses in another order are no news: the one that answers leads already.
  const bool same = std::is_permutation(resolved->begin(), resolved->end(),
                                        target.endpoints.begin(), target.endpoints.end());
  if (same) co_return;
  target.endpoints = *resolved;
  news_.on_endpoints(target.id, target.endpoints);
}

net::Task<bool> FleetWatch::read_models(Target& target) {
  const auto endpoint = target.endpoints.front();
  for (std::size_t tried = 0; tried < model_lists.size(); ++tried) {
    const auto index = (target.list_index + tried) % model_lists.size();
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
    // Kept until the worker fails or its name is looked up again: an upgraded LM Studio may have a
    // richer list.
    target.list_index = index;
    if (target.catalogue != *catalogue) {
      target.catalogue = *catalogue;
      news_.on_catalogue(target.id, *catalogue);
    }
    co_return true;
  }
  target.list_index = 0;
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
  news_.on_failure(target.id, kind);
  if (target.last_failure == what) return;
  telemetry::log(telemetry::LogLevel::warn, "worker " + target.address.name + ": probe: " + what);
  target.last_failure = std::move(what);
}

}  // namespace lmb::upstream
