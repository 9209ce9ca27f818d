#include "serve.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "large_blocks.hpp"
#include "lmb/config/config.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/timer.hpp"
#include "lmb/telemetry/log.hpp"

namespace lmb::app {
namespace asio = boost::asio;

namespace {

/// How often a drain looks whether everything has ended.
constexpr Duration drain_poll = std::chrono::milliseconds(20);

/// What an orderly end at once may take, its own limit of 5 s included.
constexpr unsigned forced_end_seconds = 8;

/// Whatever may hold an orderly end up, this ends it: SIGALRM's default kills the process. Each
/// call puts it off again.
void end_soon_in_any_case() {
  alarm(forced_end_seconds);
}

/// The main thread's part of a running server: signals and the drain.
class SignalLoop {
 public:
  SignalLoop(Server& server, Duration grace)
      : server_(server), grace_(grace), signals_(context_), poll_(context_) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) signals_.add(signal);
  }

  void run() {
    wait_for_signal();
    context_.run();
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& ec, int signal) {
      if (ec) return;
      on_signal(signal);
      wait_for_signal();
    });
  }

  void on_signal(int signal) {
    using telemetry::LogLevel;
    if (signal == SIGHUP) {
      telemetry::log(LogLevel::info, "SIGHUP: reading the config again");
      server_.reload();
      return;
    }
    if (signal == SIGUSR1) return;
    if (draining_) {
      // Before the log: who reads that may be what is stuck.
      end_soon_in_any_case();
      telemetry::log(LogLevel::warn, "second signal: ending at once");
      context_.stop();
      return;
    }
    draining_ = true;
    end_soon_in_any_case();
    telemetry::log(LogLevel::info, "shutting down: running requests may finish");
    server_.begin_drain();
    end_by_ = Clock::now() + grace_;
    poll_drain();
  }

  void poll_drain() {
    end_soon_in_any_case();
    if (server_.active() == 0) return context_.stop();
    if (Clock::now() >= end_by_) {
      telemetry::log(telemetry::LogLevel::warn, "shutdown_grace is over: ending running requests");
      return context_.stop();
    }
    poll_.expires_after(drain_poll);
    poll_.async_wait([this](const boost::system::error_code& ec) {
      if (!ec) poll_drain();
    });
  }

  Server& server_;
  const Duration grace_;
  asio::io_context context_{1};
  asio::signal_set signals_;
  net::Timer poll_;
  bool draining_ = false;
  TimePoint end_by_{};
};

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

}  // namespace

std::string url_of(const asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << "http://" << endpoint;
  return text.str();
}

void ignore_harmless_signals() {
  // SIGXFSZ: a log at its file's size limit is as one on a full disk.
  for (const int signal : {SIGHUP, SIGUSR1, SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

void run_until_signalled(Server& server, Duration grace) {
  SignalLoop loop(server, grace);
  loop.run();
  end_soon_in_any_case();
  server.stop();
  alarm(0);
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
  Server server(std::move(parsed.config), config_file);
  auto started = server.start();
  if (!started) {
    std::fprintf(stderr, "lmbalancer: %s\n", started.error().detail().c_str());
    return exit_failed;
  }
  for (const auto& endpoint : server.endpoints()) {
    std::printf("listening on %s\n", url_of(endpoint).c_str());
  }
  for (const auto& endpoint : server.admin_endpoints()) {
    std::printf("admin on %s\n", url_of(endpoint).c_str());
  }
  std::fflush(stdout);
  run_until_signalled(server, grace);
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
