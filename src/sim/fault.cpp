#include "lmb/sim/fault.hpp"

namespace lmb::sim {

std::string_view to_string(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::refuse:
      return "refuse";
    case Fault::close_before_head:
      return "close_before_head";
    case Fault::close_mid_stream:
      return "close_mid_stream";
    case Fault::reset_mid_stream:
      return "reset_mid_stream";
    case Fault::garbage:
      return "garbage";
    case Fault::stall_before_head:
      return "stall_before_head";
    case Fault::stall_mid_stream:
      return "stall_mid_stream";
    case Fault::error_400_crash:
      return "error_400_crash";
    case Fault::error_in_stream:
      return "error_in_stream";
    case Fault::error_mid_stream:
      return "error_mid_stream";
    case Fault::status_500:
      return "status_500";
    case Fault::truncated_json:
      return "truncated_json";
    case Fault::empty_stream:
      return "empty_stream";
    case Fault::engine_crash:
      return "engine_crash";
    case Fault::engine_wedge:
      return "engine_wedge";
    case Fault::context_overflow:
      return "context_overflow";
  }
  return "none";
}

std::optional<Fault> find_fault(std::string_view name) noexcept {
  for (auto i = static_cast<int>(Fault::none); i <= static_cast<int>(Fault::context_overflow);
       ++i) {
    const auto fault = static_cast<Fault>(i);
    if (to_string(fault) == name) return fault;
  }
  return std::nullopt;
}

}  // namespace lmb::sim
