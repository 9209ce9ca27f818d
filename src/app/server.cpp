#include "lmb/app/server.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "build_info.hpp"
#include "lmb/admin/metrics_page.hpp"
#include "lmb/protocol/route.hpp"
#include "lmb/telemetry/log.hpp"
#include "local_routes.hpp"
#include "offers.hpp"
#include "server_parts.hpp"

namespace lmb::app {
namespace {

/// How long the last sessions may take to notice that they must end now; then they are dropped
/// where they are.
constexpr Duration end_limit = std::chrono::seconds(5);
/// How long their reader may take for what the access logs still hold then.
constexpr Duration access_log_end_limit = std::chrono::seconds(1);

std::size_t choose_threads(std::size_t configured) {
  if (configured > 0) return configured;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

std::vector<std::string> names_of(const std::vector<scheduling::WorkerSpec>& fleet) {
  std::vector<std::string> names;
  for (const auto& worker : fleet) names.push_back(worker.name);
  return names;
}

template <class Task>
auto run_and_wait(asio::io_context& context, Task task) {
  std::packaged_task<decltype(task())()> packaged(std::move(task));
  auto done = packaged.get_future();
  asio::post(context, std::move(packaged));
  return done.get();
}

}  // namespace

Server::Parts::Parts(config::Config its_config, std::string its_file)
    : config(std::move(its_config)),
      config_file(std::move(its_file)),
      running_config(config),
      metrics(names_of(config.fleet), protocol::route_labels(), build_info(),
              protocol::balanced_route_labels()),
      helper(std::in_place, 1),
      scribe(std::in_place, 1),
      catalogues(scheduling::fleet_size_max) {
  for (std::size_t i = 0; i < config.fleet.size(); ++i) {
    seats[i] = {config.fleet[i], config.addresses[i], true, true};
  }
  next_place = static_cast<std::uint32_t>(config.fleet.size());
}

void Server::Parts::note_escape(const char* what) {
  metrics.count_internal_error();
  telemetry::log(telemetry::LogLevel::error,
                 std::string("a session ended by an exception: ") + what);
}

void Server::Parts::make_shards() {
  const auto on_escape = [this](const char* what) { note_escape(what); };
  const auto threads = choose_threads(config.net.threads);
  dispatch::Dispatcher::Setup setup;
  for (std::size_t index = 0; index < threads; ++index) {
    shards.push_back(std::make_unique<net::Shard>(index, on_escape));
    setup.shards.emplace_back(shards.back()->context().get_executor());
  }
  control = std::make_unique<net::Shard>(threads, on_escape);
  setup.options = config.scheduling;
  setup.options.retry = config.retry;
  setup.fleet = config.fleet;
  setup.metrics = &metrics;
  setup.on_wedged = [this](WorkerId worker) {
    for (auto& front : fronts) {
      asio::post(front->shard().context(), [&front = *front, worker] { front.cut(worker); });
    }
  };
  setup.on_overdue = [this](std::uint64_t grant) {
    for (auto& front : fronts) {
      asio::post(front->shard().context(), [&front = *front, grant] { front.cut_load(grant); });
    }
  };
  setup.on_doubted = [this](WorkerId worker) {
    asio::post(control->context(), [this, worker] {
      // Until it is read again nothing tells the old list, whatever the others' lists bring.
      catalogues[worker.value()].reset();
      watch->read_again(worker);
    });
  };
  dispatcher = std::make_unique<dispatch::Dispatcher>(setup);
  shards.front()->on_tick([this](TimePoint now, Duration) { dispatcher->tick(now); });

  model_lists = std::make_unique<admin::ModelLists>(config.fleet.size());
  shared = std::make_unique<proxy::Shared>(config.proxy, *dispatcher, metrics, config.net);
  shared->retry = config.retry;
  shared->upstream = config.upstream;
  shared->helper = helper->get_executor();
  LocalRouteParts local;
  local.dispatcher = dispatcher.get();
  local.metrics = &metrics;
  local.shared = shared.get();
  local.model_lists = model_lists.get();
  local.control = control->context().get_executor();
  local.scribe = scribe->get_executor();
  local.draining = &draining;
  shared->local = make_local_routes(local);
}

void Server::Parts::make_watch() {
  upstream::FleetNews news;
  news.on_endpoints = [this](WorkerId worker, std::vector<tcp::endpoint> endpoints) {
    for (auto& front : fronts) {
      asio::post(front->shard().context(),
                 [&front = *front, worker, endpoints] { front.set_endpoints(worker, endpoints); });
    }
  };
  news.on_failure = [this](WorkerId worker, ErrorKind kind) {
    dispatcher->note_failure(worker, "probe", kind);
    admin->note_failure(worker, kind);
  };
  news.on_probe = [this](WorkerId worker, const upstream::ProbeResult& probe) {
    metrics.count_probe(worker, probe.alive, probe.took);
    admin->note_probe(worker, probe.alive, probe.took);
    scheduling::ProbeReport report(probe.alive);
    // Who is away may come back upgraded.
    if (!probe.alive) shared->route_gaps.forget(worker);
    report.timed_out = probe.timed_out;
    report.connected = probe.connected;
    report.begun = probe.begun;
    dispatcher->observe_probe(worker, report);
  };
  news.loading = [this](WorkerId worker) { return dispatcher->loading(worker); };
  news.on_catalogue = [this](WorkerId worker, protocol::ModelCatalogue catalogue) {
    shared->route_gaps.forget(worker);
    catalogues[worker.value()] = catalogue;
    model_lists->set(worker, std::move(catalogue));
    tell_offers();
  };
  shared->on_unreachable = [this](WorkerId worker) {
    asio::post(control->context(), [this, worker] { watch->look_again(worker); });
  };
  upstream::FleetWatch::Setup setup;
  setup.options = config.upstream;
  setup.workers = config.addresses;
  setup.news = std::move(news);
  setup.on_escape = [this](const char* what) { note_escape(what); };
  watch = std::make_unique<upstream::FleetWatch>(*control, std::move(setup));
}

void Server::Parts::tell_offers() {
  // A new name in the fleet may be another name for what the others have.
  const auto offers = offers_of(catalogues);
  for (std::uint32_t i = 0; i < offers.size(); ++i) {
    if (offers[i]) dispatcher->set_offers(WorkerId(i), *offers[i]);
  }
}

void Server::Parts::make_admin() {
  admin::ServiceSetup setup;
  setup.config = &config;
  setup.dispatcher = dispatcher.get();
  setup.metrics = &metrics;
  setup.build = build_info();
  setup.draining = &draining;
  setup.home = control->context().get_executor();
  setup.scribe = scribe->get_executor();
  for (auto& front : fronts) {
    admin::ShardRequests each;
    each.shard = front->shard().context().get_executor();
    each.visit = [&front = *front](const auto& look) {
      for (const auto& request : front.running()) look(request.record());
    };
    setup.shards.push_back(std::move(each));
  }
  setup.body_memory = [this] { return shared->body_memory.used(); };
  setup.client_connections = [this] { return shared->connections.open(); };
  setup.on_escape = [this](const char* what) { note_escape(what); };
  setup.reload = [this](ReloadDone done) { begin_reload(std::move(done)); };
  admin = std::make_unique<admin::Service>(std::move(setup));
  for (std::uint32_t i = 0; i < config.fleet.size(); ++i) {
    admin->set_worker(WorkerId(i), config.fleet[i], config.addresses[i]);
  }
}

void Server::Parts::on_socket(std::size_t index, tcp::socket socket) {
  auto& front = *fronts[index];
  asio::post(front.shard().context(),
             [&front, socket = std::move(socket)]() mutable { front.serve(std::move(socket)); });
}

void Server::Parts::drop_sessions() {
  std::size_t dropped = 0;
  for (auto& shard : shards) dropped += shard->sessions().drop();
  if (dropped == 0) return;
  telemetry::log(telemetry::LogLevel::warn,
                 std::to_string(dropped) + " sessions did not end in time and were dropped");
}

void Server::Parts::end_access_logs() {
  const auto until = Clock::now() + access_log_end_limit;
  std::uint64_t dropped = 0;
  for (auto& front : fronts) dropped += front->access_log().end(until);
  if (dropped == 0) return;
  telemetry::log(telemetry::LogLevel::warn,
                 "access log: " + std::to_string(dropped) + " lines were not written at the end");
}

Server::Server(config::Config config, std::string config_file)
    : parts_(std::make_unique<Parts>(std::move(config), std::move(config_file))) {}

Server::~Server() {
  stop();
}

Result<void> Server::start() {
  auto& parts = *parts_;
  parts.make_shards();
  std::random_device entropy;
  for (auto& shard : parts.shards) {
    auto log = telemetry::AccessLog::open(parts.config.telemetry.access_log, {},
                                          parts.config.telemetry.access_log_bytes);
    if (!log) return log.error();
    const auto seed = (std::uint64_t{entropy()} << 32U) | entropy();
    parts.fronts.push_back(
        std::make_unique<proxy::Front>(*shard, *parts.shared, std::move(*log), seed));
    for (std::uint32_t i = 0; i < parts.config.fleet.size(); ++i) {
      parts.fronts.back()->set_worker(WorkerId(i), parts.config.addresses[i]);
    }
  }
  std::vector<asio::io_context*> targets;
  for (auto& shard : parts.shards) targets.push_back(&shard->context());
  parts.acceptor = std::make_unique<net::Acceptor>(parts.shards.front()->context(), targets,
                                                   [&parts](std::size_t index, tcp::socket socket) {
                                                     parts.on_socket(index, std::move(socket));
                                                   });
  auto listening = parts.acceptor->listen(parts.config.net.listen);
  if (!listening) return listening.error();
  parts.make_admin();
  auto administrable = parts.admin->listen();
  if (!administrable) return administrable.error();
  parts.make_watch();
  parts.watch->start();
  parts.acceptor->start();
  for (auto& shard : parts.shards) shard->start();
  parts.control->start();
  parts.running = true;
  return {};
}

std::vector<tcp::endpoint> Server::endpoints() const {
  return parts_->acceptor->endpoints();
}

std::vector<tcp::endpoint> Server::admin_endpoints() const {
  return run_and_wait(parts_->control->context(), [this] { return parts_->admin->endpoints(); });
}

void Server::begin_drain() {
  auto& parts = *parts_;
  if (!parts.running || parts.draining.exchange(true)) return;
  run_and_wait(parts.shards.front()->context(), [&parts] { parts.acceptor->stop(); });
  parts.dispatcher->close();
  for (auto& shard : parts.shards) {
    run_and_wait(shard->context(),
                 [&shard] { shard->sessions().stop(net::StopLevel::finish_request); });
  }
}

void Server::reload() {
  if (!parts_->running) return;
  asio::post(parts_->control->context(), [parts = parts_.get()] { parts->reload_on_signal(); });
}

std::size_t Server::active() {
  if (!parts_->running) return 0;
  std::size_t sum = 0;
  for (auto& shard : parts_->shards) {
    sum += run_and_wait(shard->context(), [&shard] { return shard->sessions().active(); });
  }
  return sum;
}

void Server::end_now() {
  if (!parts_->running) return;
  for (auto& shard : parts_->shards) {
    run_and_wait(shard->context(), [&shard] { shard->sessions().stop(net::StopLevel::now); });
  }
}

void Server::stop() {
  auto& parts = *parts_;
  if (!parts.running) return;
  begin_drain();
  end_now();
  run_and_wait(parts.control->context(), [&parts] {
    parts.watch->stop();
    parts.admin->stop();
  });
  const auto limit = Clock::now() + end_limit;
  asio::io_context pauses;
  net::Timer pause(pauses);
  const auto admin_active = [&parts] {
    return run_and_wait(parts.control->context(), [&parts] { return parts.admin->active(); });
  };
  while ((active() > 0 || admin_active() > 0) && Clock::now() < limit) {
    pause.expires_after(std::chrono::milliseconds(5));
    pause.wait();
  }
  for (auto& shard : parts.shards) shard->stop();
  parts.control->stop();
  for (auto& shard : parts.shards) shard->join();
  parts.control->join();
  // What still waits for these threads has nobody left to wait for it.
  parts.helper->stop();
  parts.scribe->stop();
  // With them goes what is queued there and would come home to the shards' contexts.
  parts.helper.reset();
  parts.scribe.reset();
  parts.drop_sessions();
  parts.end_access_logs();
  parts.running = false;
}

scheduling::FleetSnapshot Server::fleet() const {
  return parts_->dispatcher->snapshot();
}

std::string Server::metrics() const {
  return admin::render_metrics(*parts_->dispatcher, parts_->metrics,
                               parts_->shared->body_memory.used());
}

}  // namespace lmb::app
