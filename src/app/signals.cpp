#include "signals.hpp"

#include <unistd.h>

#include <array>
#include <csignal>

#include "lmb/net/timer.hpp"
#include "lmb/telemetry/log.hpp"

namespace lmb::app {
namespace asio = boost::asio;

namespace {

constexpr std::array caught{SIGINT, SIGTERM, SIGHUP, SIGUSR1};

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
  SignalLoop(Server& server, Duration grace, asio::io_context& context, asio::signal_set& signals)
      : server_(server), grace_(grace), context_(context), signals_(signals), poll_(context) {}

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
    if (signal == SIGHUP && draining_) {
      telemetry::log(LogLevel::info, "SIGHUP: ending, the config is not read again");
      return;
    }
    if (signal == SIGHUP) {
      telemetry::log(LogLevel::info, "SIGHUP: reading the config again");
      server_.reload();
      return;
    }
    if (signal == SIGUSR1) return;
    if (draining_) {
      // Before the log: its disk may be what is stuck.
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
  asio::io_context& context_;
  asio::signal_set& signals_;
  net::Timer poll_;
  bool draining_ = false;
  TimePoint end_by_{};
};

}  // namespace

void ignore_harmless_signals() {
  // SIGXFSZ: a log at its file's size limit is as one on a full disk.
  for (const int signal : {SIGHUP, SIGUSR1, SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

Signals::Signals() : set_(context_) {
  for (const int signal : caught) set_.add(signal);
}

Signals::~Signals() {
  // Asio gives each signal its default back, which kills.
  sigset_t all;
  sigfillset(&all);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &all, &before);
  boost::system::error_code ignored;
  set_.clear(ignored);
  for (const int signal : caught) std::signal(signal, SIG_IGN);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Signals::run(Server& server, Duration grace) {
  SignalLoop loop(server, grace, context_, set_);
  loop.run();
  end_soon_in_any_case();
  server.stop();
  end_soon_in_any_case();
}

}  // namespace lmb::app
