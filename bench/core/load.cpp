#include "lmb/bench/load.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "lmb/base/assert.hpp"
#include "lmb/net/resolver.hpp"
#include "load_client.hpp"
#include "loop_watch.hpp"
#include "thread_cpu.hpp"

namespace lmb::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// One phase: so many requests, drawn by the clients one by one.
struct Phase {
  bool warmup = false;
  std::size_t total = 0;
  std::size_t drawn = 0;
  std::size_t done = 0;
  std::size_t failed = 0;
  TimePoint begin;
};

/// A run from its first connection to its report.
class LoadRun {
 public:
  explicit LoadRun(const LoadPlan& plan)
      : plan_(plan),
        signals_(context_),
        watch_(context_.get_executor(), [this] { tell_progress(); }) {}

  LoadReport run() {
    report_.concurrency = plan_.concurrency;
    report_.requests = plan_.requests;
    report_.stream = plan_.stream;
    report_.samples.reserve(plan_.requests);
    resolve();
    for (std::size_t i = 0; i < plan_.concurrency; ++i) {
      clients_.push_back(std::make_unique<LoadClient>(context_.get_executor(), plan_, endpoints_));
    }
    if (plan_.catch_signals) catch_signals();
    run_phase(true, plan_.warmup);
    report_.warmup_failed = phase_.failed;
    watch_.forget();
    const Duration cpu_before = thread_cpu_time();
    run_phase(false, plan_.requests);
    report_.watch.cpu = thread_cpu_time() - cpu_before;
    report_.watch.loop_lags = watch_.lags();
    report_.interrupted = interrupted_;
    report_.wall = measured_wall();
    return std::move(report_);
  }

 private:
  void resolve() {
    asio::co_spawn(context_, net::resolve(plan_.target.host, plan_.target.port),
                   [this](std::exception_ptr, Result<std::vector<tcp::endpoint>> result) {
                     if (result) endpoints_ = std::move(*result);
                   });
    context_.run();
  }

  void catch_signals() {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.async_wait([this](boost::system::error_code ec, int) {
      if (ec) return;
      interrupted_ = true;
      for (const auto& client : clients_) client->interrupt();
    });
  }

  /// Returns when all clients have ended their last request.
  void run_phase(bool warmup, std::size_t total) {
    phase_ = Phase();
    phase_.warmup = warmup;
    phase_.total = total;
    phase_.begin = Clock::now();
    if (total == 0 || interrupted_) return;
    running_ = clients_.size();
    watch_.start();
    for (const auto& client : clients_) {
      asio::co_spawn(context_, drive(*client), [this](std::exception_ptr failure) {
        // A value or our own bug: nothing that a server does throws.
        if (failure) std::rethrow_exception(failure);
        if (--running_ == 0) context_.stop();
      });
    }
    // The watch and the signals always wait: the last client ends the loop.
    context_.restart();
    context_.run();
    watch_.stop();
    LMB_ASSERT(running_ == 0);
    tell_progress();
  }

  asio::awaitable<void> drive(LoadClient& client) {
    while (phase_.drawn < phase_.total && !client.interrupted()) {
      ClientRequest request;
      request.index = phase_.drawn++;
      request.warmup = phase_.warmup;
      request.run_begin = phase_.begin;
      RequestSample sample;
      co_await client.exchange(request, sample);
      if (!client.interrupted()) take(std::move(sample));
    }
  }

  void take(RequestSample sample) {
    ++phase_.done;
    if (sample.outcome == Outcome::failed) ++phase_.failed;
    if (!phase_.warmup) report_.samples.push_back(std::move(sample));
  }

  void tell_progress() {
    if (!plan_.on_progress) return;
    Progress progress;
    progress.warming_up = phase_.warmup;
    progress.done = phase_.done;
    progress.total = phase_.total;
    progress.failed = phase_.failed;
    progress.elapsed = Clock::now() - phase_.begin;
    plan_.on_progress(progress);
  }

  [[nodiscard]] Duration measured_wall() const {
    if (report_.samples.empty()) return {};
    Duration first = Duration::max();
    Duration last{};
    for (const RequestSample& sample : report_.samples) {
      first = std::min(first, sample.start);
      last = std::max(last, sample.start + sample.end);
    }
    return last - first;
  }

  const LoadPlan& plan_;
  asio::io_context context_{1};
  std::vector<tcp::endpoint> endpoints_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
  asio::signal_set signals_;
  LoopWatch watch_;
  Phase phase_;
  LoadReport report_;
  std::size_t running_ = 0;
  bool interrupted_ = false;
};

}  // namespace

LoadReport run_load(const LoadPlan& plan) {
  LMB_ASSERT(plan.concurrency > 0);
  LoadRun run(plan);
  return run.run();
}

}  // namespace lmb::bench
