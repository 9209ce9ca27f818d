#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lmb/base/error.hpp"

namespace lmb::bench {

/// The server under test.
struct Target {
  std::string host = "127.0.0.1";  ///< Name or address, an IPv6 address without brackets.
  std::uint16_t port = 8080;
  std::string base_path = "/v1";  ///< What `chat/completions` follows, without a slash at its end.

  /// The Host field: port left out when it is 80 (RFC 9110 section 7.2), IPv6 in brackets.
  [[nodiscard]] std::string host_field() const;
  /// Without base path, e.g. "http://127.0.0.1:8080".
  [[nodiscard]] std::string origin() const;
};

/// Reads `http://HOST[:PORT][/PATH]`, with or without "http://". A path (as in OPENAI_BASE_URL)
/// replaces
/// "/v1". Errors: bad_request, the detail says what is wrong in a sentence for the operator (https
/// among it: the bench speaks plain HTTP only).
Result<Target> parse_target(std::string_view url);

}  // namespace lmb::bench
