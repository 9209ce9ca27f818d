#pragma once

#include <cstdint>

#include "lmb/http/server.hpp"
#include "lmb/sim/error_answer.hpp"
#include "lmb/sim/fault.hpp"

namespace lmb::sim {

/// What is to go wrong with one request.
struct Misbehaviour {
  Fault fault = Fault::none;
  /// Alone: the whole answer. With Fault::error_in_stream or error_mid_stream: the words of the
  /// event.
  ErrorAnswer error = ErrorAnswer::none;

  [[nodiscard]] bool any() const noexcept {
    return fault != Fault::none || error != ErrorAnswer::none;
  }
};

/// Which requests of a worker go wrong, and how: by their own fields (`x-sim-fault`,
/// `x-sim-error`), else by a script for the next so many of a scope.
class FaultScript {
 public:
  /// `count` 0 = until set again.
  void set(const Misbehaviour& what, FaultScope scope, std::uint32_t count);
  /// What this request is to suffer. `generation`: a chat, completion or embedding.
  Misbehaviour take(const http::Request& request, bool generation);

 private:
  Misbehaviour scripted_;
  FaultScope scope_ = FaultScope::generation;
  std::uint32_t count_ = 0;  // 0 = without end.
};

}  // namespace lmb::sim
