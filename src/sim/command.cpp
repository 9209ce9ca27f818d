#include "lmb/sim/command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <ostream>

#include "lmb/sim/fleet.hpp"

namespace lmb::sim {
namespace {

constexpr std::size_t workers_max = 64;

/// What is wrong with the options, or an empty string.
std::string find_mistake(const CommandOptions& options) {
  if (find_preset(options.preset) == nullptr) {
    std::string known;
    for (const auto& preset : presets()) known += " " + preset.name;
    return "unknown preset '" + options.preset + "'; there are:" + known;
  }
  if (options.workers < 1 || options.workers > workers_max) {
    return "--workers must be between 1 and " + std::to_string(workers_max);
  }
  if (!(options.speed > 0) || options.speed > 1e6) {
    return "--speed must be above 0 and at most 1000000";
  }
  if (options.port != 0 && options.port + options.workers - 1 > 65535) {
    return "--port + --workers goes beyond port 65535";
  }
  return {};
}

}  // namespace

int run_command(const CommandOptions& options, std::ostream& out, std::ostream& err) {
  if (const std::string mistake = find_mistake(options); !mistake.empty()) {
    err << "lmbalancer sim: " << mistake << "\n";
    return 2;
  }
  WorkerOptions worker;
  worker.host = options.host;
  worker.port = options.port;
  worker.models.push_back(ModelOptions{*find_preset(options.preset), options.parallel, true});
  worker.speed = options.speed;
  worker.seed = options.seed;
  worker.engine_seed = options.seed;
  worker.answer_tokens = options.answer_tokens;
  worker.api_token = options.api_token;

  boost::asio::io_context context(1);
  Fleet fleet(context, FleetOptions::alike(options.workers, worker));
  if (const auto started = fleet.start(); !started) {
    err << "lmbalancer sim: " << started.error().detail() << "\n";
    return 1;
  }
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&fleet](boost::system::error_code ec, int /*signal*/) {
    if (!ec) fleet.stop();
  });
  for (std::size_t i = 0; i < fleet.size(); ++i) out << "listening on " << fleet.url(i) << "\n";
  out.flush();
  context.run();
  return 0;
}

}  // namespace lmb::sim
