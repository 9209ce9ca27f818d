#include "request_context.hpp"

#include <utility>

#include "lmb/protocol/api_error.hpp"

namespace lmb::proxy {

RequestContext::RequestContext(Front& its_front, TimePoint begun)
    : front(its_front), worker_fields(its_front.borrow_buffer()), body(its_front.borrow_buffer()) {
  record.phases = telemetry::PhaseClock(begun);
}

RequestContext::~RequestContext() {
  release_body();
  front.return_buffer(std::move(worker_fields));
}

bool RequestContext::charge_body(std::size_t bytes) {
  if (!front.shared().body_memory.take(bytes)) return false;
  body_charged += bytes;
  return true;
}

void RequestContext::release_body() {
  front.shared().body_memory.give_back(std::exchange(body_charged, 0));
  front.return_buffer(std::exchange(body, {}));
}

void RequestContext::note_error(ErrorKind kind) {
  record.error = kind;
  record.termination = {protocol::error_row(kind).who,
                        telemetry::phase_letter(record.phases.open())};
}

}  // namespace lmb::proxy
