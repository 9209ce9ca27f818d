#include "lmb/sim/fleet.hpp"

#include <boost/asio/post.hpp>
#include <future>

namespace lmb::sim {

namespace asio = boost::asio;

FleetOptions FleetOptions::alike(std::size_t count, const WorkerOptions& worker) {
  FleetOptions out;
  for (std::size_t i = 0; i < count; ++i) {
    WorkerOptions options = worker;
    if (worker.port != 0) options.port = static_cast<std::uint16_t>(worker.port + i);
    options.engine_seed = worker.engine_seed + i;
    out.workers.push_back(std::move(options));
  }
  return out;
}

Fleet::Fleet(FleetOptions options)
    : own_context_(std::make_unique<asio::io_context>(1)), options_(std::move(options.workers)) {
  for (const auto& worker : options_) {
    workers_.push_back(std::make_unique<Worker>(own_context_->get_executor(), worker));
  }
}

Fleet::Fleet(asio::io_context& context, FleetOptions options)
    : options_(std::move(options.workers)) {
  for (const auto& worker : options_) {
    workers_.push_back(std::make_unique<Worker>(context.get_executor(), worker));
  }
}

Fleet::~Fleet() {
  stop();
  workers_.clear();  // Before the context that their sockets belong to.
}

Result<void> Fleet::start() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto started = workers_[i]->start();
    if (started) continue;
    for (const auto& worker : workers_) worker->stop();
    const auto& options = options_[i];
    return Error(ErrorKind::internal, "cannot listen on " + options.host + ":" +
                                          std::to_string(options.port) + ": " +
                                          started.error().cause().message());
  }
  if (own_context_) {
    guard_.emplace(own_context_->get_executor());
    thread_ = std::thread([this] { own_context_->run(); });
  }
  return {};
}

void Fleet::stop() {
  run_on_thread([this] {
    for (const auto& worker : workers_) worker->stop();
  });
  guard_.reset();
  if (thread_.joinable()) thread_.join();
}

std::string Fleet::url(std::size_t worker) const {
  const std::string& host = options_[worker].host;
  const bool v6 = host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port(worker));
}

WorkerCounters Fleet::counters(std::size_t worker) const {
  WorkerCounters out;
  run_on_thread([&] { out = workers_[worker]->counters(); });
  return out;
}

void Fleet::with(std::size_t worker, const std::function<void(Worker&)>& work) {
  run_on_thread([&, worker] { work(*workers_[worker]); });
}

void Fleet::set_fault(std::size_t worker, Fault fault, FaultScope scope, std::uint32_t count) {
  run_on_thread([=, this] { workers_[worker]->set_fault(fault, scope, count); });
}

void Fleet::run_on_thread(const std::function<void()>& work) const {
  if (!thread_.joinable() || thread_.get_id() == std::this_thread::get_id()) {
    work();
    return;
  }
  std::promise<void> done;
  asio::post(*own_context_, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace lmb::sim
