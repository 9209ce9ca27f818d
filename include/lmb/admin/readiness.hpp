#pragma once

#include <string>

#include "lmb/dispatch/dispatcher.hpp"

namespace lmb::admin {

/// GET /healthz: the process answers.
inline constexpr const char* health_body = R"({"status":"ok"})";

/// GET /readyz: whether new requests are worth sending, and if not, why.
struct Readiness {
  bool ready = false;
  std::string body;
};
Readiness readiness(const dispatch::Dispatcher& dispatcher, bool draining);

}  // namespace lmb::admin
