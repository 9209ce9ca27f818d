#include "lmb/sim/worker.hpp"

#include <boost/asio/ip/address.hpp>

#include "lmb/http/server.hpp"
#include "routes.hpp"
#include "studio.hpp"

namespace lmb::sim {
namespace {

http::ServerOptions server_options(const WorkerOptions& options) {
  http::ServerOptions out;
  out.idle_timeout = options.idle_timeout;
  out.head_timeout = std::chrono::seconds(60);   // Node's headersTimeout.
  out.body_timeout = std::chrono::seconds(300);  // Node's requestTimeout.
  out.body_bytes_max = options.body_bytes_max;
  out.fields.emplace_back("X-Powered-By", "Express");
  return out;
}

}  // namespace

Worker::Worker(boost::asio::any_io_executor executor, const WorkerOptions& options)
    : studio_(std::make_shared<Studio>(executor, options)) {
  studio_->set_worker(this);
  server_ = std::make_unique<http::Server>(
      executor, server_options(options),
      [studio = studio_](http::Exchange& exchange) { return serve(studio, exchange); });
}

Worker::~Worker() {
  studio_->set_worker(nullptr);
  stop();
}

Result<void> Worker::start() {
  const WorkerOptions& options = studio_->options();
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(options.host, ec);
  if (ec) return Error(ErrorKind::internal, ec);
  const auto bound = server_->listen({address, options.port});
  if (!bound) return bound.error();
  endpoint_ = *bound;
  return {};
}

void Worker::stop() {
  server_->stop();
  studio_->instances().halt();
}

void Worker::set_fault(Fault fault, FaultScope scope, std::uint32_t count) {
  set_misbehaviour(fault, ErrorAnswer::none, scope, count);
}

void Worker::set_error(ErrorAnswer error, FaultScope scope, std::uint32_t count) {
  set_misbehaviour(Fault::none, error, scope, count);
}

void Worker::set_misbehaviour(Fault fault, ErrorAnswer error, FaultScope scope,
                              std::uint32_t count) {
  set_refusing(fault == Fault::refuse);
  Misbehaviour what;
  what.fault = fault;
  what.error = error;
  studio_->faults().set(what, scope, count);
}

void Worker::set_refusing(bool refusing) {
  if (refusing == refusing_) return;
  refusing_ = refusing;
  if (refusing) {
    server_->stop();
  } else if (!server_->listen(endpoint_)) {
    // The port was ours a moment ago; should somebody have taken it, the worker stays refused.
    refusing_ = true;
  }
}

bool Worker::set_load_fault(std::string_view model, LoadFault fault) {
  const auto found = studio_->find_model(model);
  if (found) studio_->instances().set_load_fault(*found, fault);
  return found.has_value();
}

void Worker::crash(std::string_view model) {
  for (const auto& instance : studio_->instances_of(model)) {
    studio_->instances().unload(instance->number, UnloadReason::crashed);
  }
}

void Worker::wedge(bool wedged, std::string_view model) {
  for (const auto& instance : studio_->instances_of(model)) {
    studio_->instances().wedge(*instance, wedged);
  }
}

void Worker::set_slowdown(double factor) {
  studio_->instances().set_slowdown(factor);
}

bool Worker::load(std::string_view model) {
  const auto found = studio_->find_model(model);
  if (!found) return false;
  const auto begun = studio_->instances().load(*found, LoadWish());
  return std::holds_alternative<std::shared_ptr<Instance>>(begun);
}

bool Worker::unload(std::string_view instance) {
  const auto found = studio_->instances().find_id(instance);
  if (found) studio_->instances().unload(found->number, UnloadReason::asked);
  return found != nullptr;
}

void Worker::restart() {
  const bool refusing = refusing_;
  set_refusing(true);
  studio_->instances().unload_all();
  studio_->responses().clear();
  if (!refusing) set_refusing(false);
}

WorkerCounters Worker::counters() const {
  WorkerCounters out = studio_->ledger().counters();
  out.connections_accepted = server_->connections_accepted();
  out.connections = server_->connections();
  return out;
}

std::vector<SeenRequest> Worker::seen() const {
  return studio_->ledger().seen();
}

std::vector<SeenInstance> Worker::instances() const {
  return studio_->ledger().instances();
}

}  // namespace lmb::sim
