#pragma once

#include <string>
#include <vector>

#include "lmb/net/options.hpp"

namespace lmb::admin {

struct AdminOptions {
  /// admin.listen: where operators look and act; empty = nowhere. Beyond loopback only with a key.
  std::vector<net::ListenAddress> listen{{"127.0.0.1", 8081}};
  /// admin.api_key or api_key_env: what /admin/ calls must carry, never logged; empty = none.
  std::string api_key;
  std::size_t body_bytes_max = 64 * 1024;  ///< limits.admin_body_bytes
  std::size_t connections_max = 256;       ///< limits.admin_connections: over all of its listeners.
};

}  // namespace lmb::admin
