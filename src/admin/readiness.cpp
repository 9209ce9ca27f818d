#include "lmb/admin/readiness.hpp"

namespace lmb::admin {

Readiness readiness(const dispatch::Dispatcher& dispatcher, bool draining) {
  if (draining) return {false, R"({"ready":false,"reason":"shutting down"})"};
  if (!dispatcher.any_up()) return {false, R"({"ready":false,"reason":"no worker is up"})"};
  return {true, R"({"ready":true})"};
}

}  // namespace lmb::admin
