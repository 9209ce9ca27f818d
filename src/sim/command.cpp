#include "lmb/sim/command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <ostream>

#include "duration.hpp"
#include "lmb/sim/fleet.hpp"

namespace lmb::sim {
namespace {

constexpr std::size_t workers_max = 64;

constexpr double bytes_per_gb = 1e9;

std::string unknown_preset(const std::string& name) {
  std::string known;
  for (const auto& preset : presets()) known += " " + preset.name;
  return "unknown preset '" + name + "'; there are:" + known;
}

/// What is wrong with the options, or an empty string.
std::string find_mistake(const CommandOptions& options) {
  if (find_preset(options.preset) == nullptr) return unknown_preset(options.preset);
  for (const auto& name : options.on_disk) {
    if (find_preset(name) == nullptr) return unknown_preset(name);
  }
  if (!parse_version(options.version)) {
    return "--lms-version must be three numbers, e.g. 0.4.26";
  }
  if (options.workers < 1 || options.workers > workers_max) {
    return "--workers must be between 1 and " + std::to_string(workers_max);
  }
  if (!(options.speed > 0) || options.speed > 1e6) {
    return "--speed must be above 0 and at most 1000000";
  }
  if (!(options.slowest >= 1) || !(options.heat_minutes > 0)) {
    return "--slowest must be at least 1 and --heat-minutes above 0";
  }
  if (!(options.ttl_seconds >= 0) || options.load_seconds.value_or(0) < 0 ||
      !(options.memory_gb >= 0)) {
    return "--ttl, --load-time and --memory cannot be negative";
  }
  if (options.port != 0 && options.port + options.workers - 1 > 65535) {
    return "--port + --workers goes beyond port 65535";
  }
  return {};
}

std::vector<ModelOptions> models_of(const CommandOptions& options) {
  std::vector<ModelOptions> out;
  out.push_back(ModelOptions{*find_preset(options.preset), options.parallel, !options.cold});
  for (const auto& name : options.on_disk) {
    out.push_back(ModelOptions{*find_preset(name), options.parallel, false});
  }
  for (auto& model : out) {
    if (options.load_seconds) model.load_time = seconds(*options.load_seconds);
  }
  return out;
}

WorkerOptions worker_of(const CommandOptions& options) {
  WorkerOptions out;
  out.host = options.host;
  out.port = options.port;
  out.models = models_of(options);
  out.speed = options.speed;
  out.seed = options.seed;
  out.engine_seed = options.seed;
  out.answer_tokens = options.answer_tokens;
  out.reasoning_tokens = options.reasoning_tokens;
  out.api_token = options.api_token;
  out.version = *parse_version(options.version);
  out.jit = !options.no_jit;
  out.auto_evict = !options.no_auto_evict;
  out.duplicate_loads = !options.no_duplicate_loads;
  out.ttl = seconds(options.ttl_seconds);
  out.memory_bytes = static_cast<std::uint64_t>(options.memory_gb * bytes_per_gb);
  out.serialise = options.serialise;
  out.zombie = options.zombie;
  out.thermal.slowest = options.slowest;
  out.thermal.heats_in = seconds(options.heat_minutes * 60);
  out.thermal.cools_in = out.thermal.heats_in;
  return out;
}

}  // namespace

int run_command(const CommandOptions& options, std::ostream& out, std::ostream& err) {
  if (const std::string mistake = find_mistake(options); !mistake.empty()) {
    err << "lmbalancer sim: " << mistake << "\n";
    return 2;
  }
  boost::asio::io_context context(1);
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  Fleet fleet(context, FleetOptions::alike(options.workers, worker_of(options)));
  if (const auto started = fleet.start(); !started) {
    err << "lmbalancer sim: " << started.error().detail();
    if (options.port != 0) err << "; stop the other program or choose another port with --port";
    err << "\n";
    return 1;
  }
  signals.async_wait([&fleet](boost::system::error_code ec, int /*signal*/) {
    if (!ec) fleet.stop();
  });
  for (std::size_t i = 0; i < fleet.size(); ++i) out << "listening on " << fleet.url(i) << "\n";
  out.flush();
  context.run();
  return 0;
}

}  // namespace lmb::sim
