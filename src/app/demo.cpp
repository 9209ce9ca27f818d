#include "demo.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <string>
#include <utility>

#include "demo_sample.hpp"
#include "lmb/config/config.hpp"
#include "lmb/net/timer.hpp"
#include "lmb/sim/fleet.hpp"
#include "lmb/sim/presets.hpp"
#include "serve.hpp"
#include "signals.hpp"

namespace lmb::app {
namespace {

/// Local workers answer their first probe within milliseconds; a loaded machine may need longer.
constexpr Duration up_limit = std::chrono::seconds(20);
constexpr Duration poll_interval = std::chrono::milliseconds(10);

config::Config demo_config(const DemoOptions& options, const sim::Fleet& fleet) {
  config::Config config;
  config.net.listen = {{"127.0.0.1", options.port}};
  config.admin.listen = {{"127.0.0.1", 0}};  // The demo must not fail over a second port.
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    scheduling::WorkerSpec worker;
    worker.name = "mac-studio-" + std::to_string(i + 1);
    upstream::WorkerAddress address;
    address.name = worker.name;
    address.host = "127.0.0.1";
    address.port = fleet.port(i);
    config.fleet.push_back(std::move(worker));
    config.addresses.push_back(std::move(address));
  }
  return config;
}

bool wait_until_up(const Server& server) {
  boost::asio::io_context context;
  net::Timer pause(context);
  const auto limit = Clock::now() + up_limit;
  while (Clock::now() < limit) {
    const auto fleet = server.fleet();
    const bool all_up =
        std::all_of(fleet.workers.begin(), fleet.workers.end(), [](const auto& worker) {
          return worker.state == scheduling::WorkerState::up && worker.catalogue_known;
        });
    if (all_up) return true;
    pause.expires_after(poll_interval);
    pause.wait();
  }
  return false;
}

void print_next_steps(const std::string& url, const std::string& model) {
  std::printf(
      "\nTry it yourself:\n"
      "  curl -N %s/v1/chat/completions -H 'Content-Type: application/json' \\\n"
      "    -d "
      "'{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}'\n"
      "  export OPENAI_BASE_URL=%s/v1 OPENAI_API_KEY=none\n"
      "  curl %s/metrics\n\n",
      url.c_str(), model.c_str(), url.c_str(), url.c_str());
  std::fflush(stdout);
}

int run(const DemoOptions& options, Server& server, Duration grace) {
  const auto endpoint = server.endpoints().front();
  const auto url = url_of(endpoint);
  const auto model = sim::find_preset(sim::default_preset)->model.key;
  if (!wait_until_up(server)) {
    std::fprintf(stderr, "lmbalancer: the simulated workers did not come up\n");
    return exit_failed;
  }
  std::printf("listening on %s\n", url.c_str());
  std::printf("%u simulated Mac Studios run %s behind it\n", options.workers, model.c_str());
  std::fflush(stdout);
  if (options.sample) {
    const auto shown = show_sample(endpoint, model);
    if (!shown) {
      std::fprintf(stderr, "lmbalancer: the sample request failed: %.*s: %s\n",
                   static_cast<int>(to_string(shown.error().kind()).size()),
                   to_string(shown.error().kind()).data(), shown.error().detail().c_str());
      return exit_failed;
    }
  }
  if (options.once) return exit_ok;
  Signals signals;  // Not caught before: Ctrl-C ends the sample at once.
  print_next_steps(url, model);
  std::puts("Serving until Ctrl-C.");
  std::fflush(stdout);
  signals.run(server, grace);
  return exit_ok;
}

}  // namespace

int demo(const DemoOptions& options) {
  ignore_harmless_signals();
  sim::WorkerOptions worker;
  worker.speed = options.speed;
  sim::Fleet fleet(sim::FleetOptions::alike(options.workers, worker));
  auto fleet_started = fleet.start();
  if (!fleet_started) {
    std::fprintf(stderr, "lmbalancer: %s\n", fleet_started.error().detail().c_str());
    return exit_failed;
  }
  auto config = demo_config(options, fleet);
  const auto grace = config.shutdown_grace;
  Server server(std::move(config));
  auto started = server.start();
  if (!started) {
    std::fprintf(stderr, "lmbalancer: %s (demo takes --port N)\n",
                 started.error().detail().c_str());
    return exit_failed;
  }
  const int code = run(options, server, grace);
  server.stop();
  return code;
}

}  // namespace lmb::app
