#include "request_context.hpp"

#include <utility>

#include "lmb/protocol/api_error.hpp"

namespace lmb::proxy {

RequestContext::RequestContext(Front& its_front, TimePoint begun)
    : front(its_front),
      worker_fields(its_front.borrow_buffer()),
      body(its_front.shared().body_memory, its_front.borrow_buffer(),
           its_front.shared().options.limits.body_bytes) {
  record.phases = telemetry::PhaseClock(begun);
  front.running().push_back(running);
}

RequestContext::~RequestContext() {
  release_request();
}

void RequestContext::release_request() {
  front.return_buffer(body.release());
  front.return_buffer(std::exchange(worker_fields, {}));
}

void RequestContext::note_error(ErrorKind kind) {
  record.error = kind;
  record.termination = {protocol::error_row(kind).who,
                        telemetry::phase_letter(record.phases.open())};
}

}  // namespace lmb::proxy
