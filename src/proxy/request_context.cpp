#include "request_context.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
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

std::uint64_t RequestContext::prompt_hash() {
  constexpr std::size_t end_bytes = 16 * 1024;
  const auto bytes = body.view();
  if (prompt_hash_ != 0 || bytes.empty()) return prompt_hash_;
  const std::hash<std::string_view> hash;
  const auto tail = bytes.substr(bytes.size() - std::min(bytes.size(), end_bytes));
  prompt_hash_ = hash(bytes.substr(0, end_bytes));
  prompt_hash_ = (prompt_hash_ * 31 + hash(tail)) * 31 + bytes.size();
  prompt_hash_ |= 1U;
  return prompt_hash_;
}

void RequestContext::release_request() {
  (void)prompt_hash();
  front.return_buffer(body.release());
  front.return_buffer(std::exchange(worker_fields, {}));
}

void RequestContext::note_error(ErrorKind kind) {
  record.error = kind;
  record.termination = {protocol::error_row(kind).who,
                        telemetry::phase_letter(failed_in.value_or(record.phases.open()))};
}

}  // namespace lmb::proxy
