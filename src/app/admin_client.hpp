#pragma once

#include <cstdint>
#include <string>

#include "lmb/base/error.hpp"
#include "lmb/http/client.hpp"

namespace lmb::app {

/// How a command line names a running lmbalancer.
struct AdminTarget {
  std::string url;          ///< http://HOST[:PORT], port 8081 when left out; empty = by the config.
  std::string config_file;  ///< Whose admin.listen and key count; empty = this machine, port 8081.
  std::string key_env;      ///< Environment variable with the admin key; empty = the config's key.
};

/// Where an admin listener is, and the key it asks for.
struct AdminPlace {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8081;
  std::string key;  ///< Empty = none.
};

/// Errors: bad_request; the detail is a sentence for the operator.
Result<AdminPlace> find_admin(const AdminTarget& target);

/// One call, waited for; any status is an answer. Errors: those of http::fetch, with a detail that
/// says what was tried and what to look at.
Result<http::FetchedAnswer> call_admin(const AdminPlace& place, const std::string& method,
                                       const std::string& path);

}  // namespace lmb::app
