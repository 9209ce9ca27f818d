#include "serve.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "large_blocks.hpp"
#include "lmb/config/config.hpp"
#include "lmb/net/options.hpp"
#include "lmb/telemetry/log.hpp"
#include "lmb/telemetry/unheld_write.hpp"
#include "signals.hpp"

namespace lmb::app {
namespace asio = boost::asio;

namespace {

/// How long the lines that say where the server listens wait for a reader of stdout.
constexpr auto patience_of_addresses = std::chrono::seconds(1);

const char* environment(const char* name) {
  return std::getenv(name);
}

void warn_if_open(const config::Config& config) {
  if (!config.proxy.auth.keys.empty()) return;
  for (const auto& address : config.net.listen) {
    if (net::is_loopback(address)) continue;
    telemetry::log(
        telemetry::LogLevel::warn,
        "listening on " + address.host +
            " without client keys (auth.keys): everybody who reaches this address can use "
            "the fleet");
  }
}

/// Each client takes a descriptor and each running request one more; most systems allow 1,024
/// unless asked, and far more when asked.
void raise_descriptor_limit(std::size_t connections_max) {
  constexpr rlim_t reserve = 256;
  const rlim_t wanted = 2 * static_cast<rlim_t>(connections_max) + reserve;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
  telemetry::log(telemetry::LogLevel::warn,
                 "only " + std::to_string(limit.rlim_cur) +
                     " file descriptors are allowed, limits.connections wants " +
                     std::to_string(wanted) + ": raise ulimit -n or lower limits.connections");
}

void tell_addresses(const Server& server) {
  std::string text;
  for (const auto& each : server.endpoints()) text += "listening on " + url_of(each) + "\n";
  for (const auto& each : server.admin_endpoints()) text += "admin on " + url_of(each) + "\n";
  // SIGTERM is obeyed only behind this: a reader that does not read must not hold it.
  (void)telemetry::write_unheld(STDOUT_FILENO, text, patience_of_addresses);
}

}  // namespace

std::string url_of(const asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << "http://" << endpoint;
  return text.str();
}

int serve(const std::string& config_file) {
  ignore_harmless_signals();
  give_large_blocks_back();
  auto parsed = config::load_config(config_file, &environment);
  if (!parsed.ok()) {
    std::fputs(config::describe(parsed.problems, config_file).c_str(), stderr);
    return exit_failed;
  }
  telemetry::set_log_level(parsed.config.telemetry.log_level);
  warn_if_open(parsed.config);
  raise_descriptor_limit(parsed.config.net.connections_max);
  const auto grace = parsed.config.shutdown_grace;
  Signals signals;
  Server server(std::move(parsed.config), config_file);
  auto started = server.start();
  if (!started) {
    std::fprintf(stderr, "lmbalancer: %s\n", started.error().detail().c_str());
    return exit_failed;
  }
  tell_addresses(server);
  signals.run(server, grace);
  return exit_ok;
}

int check(const std::string& config_file) {
  const auto parsed = config::load_config(config_file, &environment);
  if (!parsed.ok()) {
    std::fputs(config::describe(parsed.problems, config_file).c_str(), stderr);
    return exit_failed;
  }
  std::printf("%s: ok, %zu worker%s\n", config_file.c_str(), parsed.config.fleet.size(),
              parsed.config.fleet.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < parsed.config.fleet.size(); ++i) {
    const auto& worker = parsed.config.fleet[i];
    const auto& address = parsed.config.addresses[i];
    std::printf("  %s at %s, slots %s\n", worker.name.c_str(),
                net::host_port_text(address.host, address.port).c_str(),
                worker.slots ? std::to_string(*worker.slots).c_str() : "auto");
  }
  return exit_ok;
}

}  // namespace lmb::app
