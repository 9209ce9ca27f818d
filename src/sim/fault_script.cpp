#include "fault_script.hpp"

namespace lmb::sim {

void FaultScript::set(const Misbehaviour& what, FaultScope scope, std::uint32_t count) {
  scripted_ = what;
  scope_ = scope;
  count_ = count;
}

Misbehaviour FaultScript::take(const http::Request& request, bool generation) {
  Misbehaviour out;
  out.fault = find_fault(request.field("x-sim-fault")).value_or(Fault::none);
  out.error = find_error_answer(request.field("x-sim-error")).value_or(ErrorAnswer::none);
  const bool in_scope = generation || scope_ == FaultScope::everything;
  if (!out.any() && in_scope && scripted_.any()) {
    out = scripted_;
    if (count_ > 0 && --count_ == 0) scripted_ = {};
  }
  if (out.fault == Fault::refuse) out.fault = Fault::none;  // Played on the listener.
  return out;
}

}  // namespace lmb::sim
