#pragma once

#include <optional>
#include <string_view>

namespace lmb::protocol {

/// A request target in the only forms a reverse proxy serves (RFC 9112 section 3.2).
struct RequestTarget {
  std::string_view origin;     ///< "/path?query", or "*".
  std::string_view authority;  ///< Of an absolute form; else empty.
};

/// Reduces `raw` to its origin part. Nothing when it is neither origin form, nor absolute form of
/// the http scheme with a valid authority, nor `*` with OPTIONS, or when `method` is CONNECT. An
/// absolute form with an empty path becomes "/" (or "*" with OPTIONS, section 3.2.4); a query
/// behind an empty path is lost, because no route could read it.
std::optional<RequestTarget> read_request_target(std::string_view method,
                                                 std::string_view raw) noexcept;

/// Checks `uri-host [":" port]` (RFC 3986 section 3.2.2), as in Host. Empty is valid: RFC 9112
/// section 3.2 demands an empty Host from a client whose target has no authority. A comma is not
/// valid, though RFC 3986 allows it: it is the mark of two Host fields merged into one.
bool valid_host(std::string_view host) noexcept;

}  // namespace lmb::protocol
