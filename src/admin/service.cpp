#include "lmb/admin/service.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "access.hpp"
#include "lmb/admin/metrics_page.hpp"
#include "lmb/admin/readiness.hpp"
#include "lmb/config/edit_distance.hpp"
#include "lmb/http/server.hpp"
#include "lmb/net/options.hpp"
#include "lmb/telemetry/log.hpp"
#include "pages.hpp"
#include "reload_page.hpp"
#include "route.hpp"
#include "run_there.hpp"
#include "running.hpp"

namespace lmb::admin {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// As the proxy's own listener tells the same (docs/admin.md).
std::string error_body(unsigned status) {
  switch (status) {
    case 408:
      return refusal(408, "head_timeout", "The request did not arrive in time; send it again.")
          .body;
    case 413:
      return refusal(413, "body_too_large",
                     "The request body is larger than limits.admin_body_bytes: send a smaller one.")
          .body;
    case 431:
      return refusal(431, "head_too_large", "The request head is too large: send shorter fields.")
          .body;
    case 503:
      return refusal(503, "too_many_connections",
                     "Too many connections are open: limits.admin_connections.")
          .body;
    case 500:
      return refusal(500, "internal", "This server failed; its log tells more.").body;
    default:
      return refusal(400, "bad_request", "The HTTP request is malformed.").body;
  }
}

http::ServerOptions server_options(const ServiceSetup& setup) {
  http::ServerOptions options;
  options.error_type = "application/json";
  options.error_body = error_body;
  options.on_escape = setup.on_escape;
  options.connections_max = setup.config->admin.connections_max;
  options.on_connection_refused = [metrics = setup.metrics] {
    metrics->count_limit_hit("limits.admin_connections");
  };
  options.body_bytes_max = setup.config->admin.body_bytes_max;
  options.on_body_refused = [metrics = setup.metrics] {
    metrics->count_limit_hit("limits.admin_body_bytes");
  };
  options.fields = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  return options;
}

Error cannot_listen(const net::ListenAddress& address, const error_code& ec) {
  auto detail = "admin: cannot listen on " + net::host_port_text(address.host, address.port) +
                ": " + ec.message();
  if (ec == asio::error::address_in_use) {
    detail += "; stop the other program or choose another port in admin.listen ([] = none)";
  }
  return Error(ErrorKind::internal, std::move(detail));
}

/// "0.0.0.0" beside "[::]" with the same port: the latter takes both families here.
bool is_covered(const net::ListenAddress& address,
                const std::vector<net::ListenAddress>& addresses) {
  return address.host == "0.0.0.0" &&
         std::find(addresses.begin(), addresses.end(), net::ListenAddress{"::", address.port}) !=
             addresses.end();
}

/// [::1] on a machine without IPv6 is not worth refusing to start: "localhost" names it.
bool is_missing_loopback(const net::ListenAddress& address, const error_code& ec) {
  return address.host == "::1" && (ec == asio::error::address_family_not_supported ||
                                   ec == boost::system::errc::address_not_available);
}

}  // namespace

struct Service::State {
  explicit State(ServiceSetup its_setup);

  asio::awaitable<void> serve(http::Exchange& exchange);
  asio::awaitable<AdminAnswer> answer(AdminRoute route, std::string client);
  asio::awaitable<AdminAnswer> show_workers();
  asio::awaitable<AdminAnswer> show_queue();
  asio::awaitable<AdminAnswer> show_requests();
  asio::awaitable<AdminAnswer> reload(std::string client);
  asio::awaitable<AdminAnswer> set_draining(AdminRoute route, std::string client);
  [[nodiscard]] std::optional<WorkerId> find_worker(std::string_view name) const;
  [[nodiscard]] AdminAnswer no_worker(std::string_view name) const;

  const ServiceSetup setup;
  const TimePoint started = Clock::now();
  std::vector<WorkerNotes> notes;  ///< By worker.
  http::Server server;
};

Service::State::State(ServiceSetup its_setup)
    : setup(std::move(its_setup)),
      notes(scheduling::fleet_size_max),
      server(setup.home, server_options(setup),
             [this](http::Exchange& exchange) { return serve(exchange); }) {}

asio::awaitable<void> Service::State::serve(http::Exchange& exchange) {
  const auto& request = exchange.request();
  auto route = find_route(request.path());
  AdminAnswer answered;
  if (auto refused = refuse(request, route.call, setup.config->admin.api_key)) {
    answered = std::move(*refused);
  } else {
    auto client = exchange.client().address().to_string();
    answered = co_await answer(std::move(route), std::move(client));
  }
  for (auto& [name, value] : answered.fields) exchange.add_field(name, value);
  co_await exchange.respond(answered.status, answered.content_type, answered.body);
}

asio::awaitable<AdminAnswer> Service::State::answer(AdminRoute route, std::string client) {
  AdminAnswer answered;
  switch (route.call) {
    case Call::healthz:
      answered.body = health_body;
      co_return answered;
    case Call::readyz: {
      auto [ready, body] = readiness(*setup.dispatcher, setup.draining->load());
      answered.status = ready ? 200 : 503;
      answered.body = std::move(body);
      co_return answered;
    }
    case Call::metrics: {
      const auto work = [this] {
        return render_metrics(*setup.dispatcher, *setup.metrics, setup.body_memory());
      };
      answered.content_type = telemetry::metrics_content_type;
      answered.body = co_await run_there(setup.home, setup.scribe, work);
      co_return answered;
    }
    case Call::status: {
      const auto work = [this] { return status_page(setup, started, Clock::now()); };
      answered.body = co_await run_there(setup.home, setup.scribe, work);
      co_return answered;
    }
    case Call::workers:
      answered = co_await show_workers();
      co_return answered;
    case Call::queue:
      answered = co_await show_queue();
      co_return answered;
    case Call::requests:
      answered = co_await show_requests();
      co_return answered;
    case Call::drain:
    case Call::undrain:
      answered = co_await set_draining(std::move(route), std::move(client));
      co_return answered;
    case Call::reload:
      answered = co_await reload(std::move(client));
      co_return answered;
    case Call::unknown:
      break;
  }
  co_return refusal(500, "internal", "An admin call without an answer.");
}

asio::awaitable<AdminAnswer> Service::State::show_workers() {
  const auto work = [this, copy = notes] { return workers_page(setup, copy, Clock::now()); };
  AdminAnswer answered;
  answered.body = co_await run_there(setup.home, setup.scribe, work);
  co_return answered;
}

asio::awaitable<AdminAnswer> Service::State::show_queue() {
  WaitList all;
  for (const auto& each : setup.shards) {
    const auto look = [&each] { return list_waits(each.visit, rows_max, Clock::now()); };
    const auto part = co_await run_there(setup.home, each.shard, look);
    merge(all, part, rows_max);
  }
  const auto work = [this, &all] { return queue_page(setup, all); };
  AdminAnswer answered;
  answered.body = co_await run_there(setup.home, setup.scribe, work);
  co_return answered;
}

asio::awaitable<AdminAnswer> Service::State::show_requests() {
  RequestList all;
  for (const auto& each : setup.shards) {
    const auto look = [&each] { return list_requests(each.visit, rows_max, Clock::now()); };
    auto part = co_await run_there(setup.home, each.shard, look);
    merge(all, std::move(part), rows_max);
  }
  const auto work = [this, &all] { return requests_page(setup, all); };
  AdminAnswer answered;
  answered.body = co_await run_there(setup.home, setup.scribe, work);
  co_return answered;
}

asio::awaitable<AdminAnswer> Service::State::set_draining(AdminRoute route, std::string client) {
  const auto worker = find_worker(route.worker);
  if (!worker) co_return no_worker(route.worker);
  const bool draining = route.call == Call::drain;
  setup.dispatcher->set_draining(*worker, draining);
  telemetry::log(telemetry::LogLevel::info,
                 "worker " + route.worker + (draining ? ": draining" : ": not draining any more") +
                     ", as " + client + " asked");
  const auto work = [this, id = *worker, copy = notes[worker->value()]] {
    return worker_page(setup, id, copy, Clock::now());
  };
  AdminAnswer answered;
  answered.body = co_await run_there(setup.home, setup.scribe, work);
  co_return answered;
}

asio::awaitable<AdminAnswer> Service::State::reload(std::string client) {
  telemetry::log(telemetry::LogLevel::info, "reload of the config, as " + client + " asked");
  auto begin = [this](auto handler) {
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    setup.reload([this, kept = std::move(kept)](ReloadReport report) {
      // Never within the call: the coroutine is only suspended after it.
      asio::post(setup.home, [kept, report = std::move(report)]() mutable {
        std::move (*kept)(std::move(report));
      });
    });
  };
  const auto report =
      co_await asio::async_initiate<const asio::use_awaitable_t<>, void(ReloadReport)>(
          std::move(begin), asio::use_awaitable);
  auto answered = reload_answer(report);
  co_return answered;
}

std::optional<WorkerId> Service::State::find_worker(std::string_view name) const {
  for (std::uint32_t i = 0; i < notes.size(); ++i) {
    if (notes[i].member && notes[i].spec.name == name) return WorkerId(i);
  }
  return std::nullopt;
}

AdminAnswer Service::State::no_worker(std::string_view name) const {
  constexpr std::size_t name_bytes_max = 64;  // Of the config; a longer one is no misspelling.
  const auto shown = std::string(name.substr(0, name_bytes_max));
  std::string text = "There is no worker '" + shown + "'";
  std::string_view nearest;
  auto least = name_bytes_max;
  std::string names;
  for (const auto& worker : notes) {
    if (!worker.member) continue;
    const auto& known = worker.spec.name;
    names += (names.empty() ? "" : ", ") + known;
    const auto edits = config::edit_distance(shown, known);
    if (edits >= least || !config::near(edits, known)) continue;
    least = edits;
    nearest = known;
  }
  text += nearest.empty() ? "." : "; did you mean '" + std::string(nearest) + "'?";
  return refusal(404, "worker_not_found", text + " The workers are: " + names);
}

Service::Service(ServiceSetup setup) : state_(std::make_unique<State>(std::move(setup))) {}

Service::~Service() {
  state_->server.stop();
}

Result<void> Service::listen() {
  const auto& addresses = state_->setup.config->admin.listen;
  for (const auto& address : addresses) {
    if (is_covered(address, addresses)) continue;
    error_code ec;
    const auto ip = asio::ip::make_address(address.host, ec);
    if (ec) return cannot_listen(address, ec);
    const auto bound = state_->server.listen(tcp::endpoint(ip, address.port));
    if (bound) continue;
    if (is_missing_loopback(address, bound.error().cause()) && addresses.size() > 1) continue;
    state_->server.close_listeners();
    return cannot_listen(address, bound.error().cause());
  }
  return {};
}

std::vector<tcp::endpoint> Service::endpoints() const {
  return state_->server.endpoints();
}

void Service::stop() {
  state_->server.stop();
}

std::size_t Service::active() const {
  return state_->server.connections();
}

void Service::set_worker(WorkerId place, const scheduling::WorkerSpec& spec,
                         const upstream::WorkerAddress& address) {
  auto& notes = state_->notes[place.value()];
  auto url = "http://" + net::host_port_text(address.host, address.port);
  const bool same = notes.member && notes.url == url;
  if (!same) notes = {};
  notes.spec = spec;
  notes.url = std::move(url);
  notes.member = true;
}

void Service::retire_worker(WorkerId worker) {
  state_->notes[worker.value()].member = false;
}

void Service::note_probe(WorkerId worker, bool alive, Duration took) {
  state_->notes[worker.value()].probe = WorkerNotes::Probe{alive, took, Clock::now()};
}

void Service::note_failure(WorkerId worker, ErrorKind kind) {
  state_->notes[worker.value()].failure = WorkerNotes::Failure{kind, Clock::now()};
}

}  // namespace lmb::admin
