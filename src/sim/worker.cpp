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
  server_ = std::make_unique<http::Server>(
      executor, server_options(options),
      [studio = studio_](http::Exchange& exchange) { return serve(studio, exchange); });
}

Worker::~Worker() {
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
  studio_->halt();
}

void Worker::set_fault(Fault fault, FaultScope scope, std::uint32_t count) {
  if (fault == Fault::refuse && !refusing_) {
    server_->stop();
    refusing_ = true;
  } else if (fault != Fault::refuse && refusing_) {
    refusing_ = false;
    // The port was ours a moment ago; should somebody have taken it, the worker stays refused.
    if (!server_->listen(endpoint_)) refusing_ = true;
  }
  studio_->set_fault(fault, scope, count);
}

WorkerCounters Worker::counters() const {
  WorkerCounters out = studio_->counters();
  out.connections_accepted = server_->connections_accepted();
  return out;
}

std::vector<SeenRequest> Worker::seen() const {
  return studio_->seen();
}

}  // namespace lmb::sim
