#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lmb/protocol/head.hpp"

namespace lmb::protocol {

/// Appends to `out` the fields of a client's request that a worker may see, as "Name: value\r\n"
/// lines.
///
/// Left out: hop-by-hop fields and every name listed in Connection (RFC 9110 section 7.6.1), Host,
/// Content-Length, Content-Encoding, Accept-Encoding, Expect, Cookie, Authorization and X-Api-Key
/// (a client's key never travels on; the worker's own is added later), Forwarded,
/// X-Forwarded-*, X-Real-IP, X-Request-Id, and fields whose name holds an underscore when a
/// CGI-like worker could confuse it with one of those. Via stays: the caller
/// adds its own behind it (RFC 9110 section 7.6.3), and Host, X-Forwarded-For, X-Request-Id,
/// Content-Length.
void append_request_fields(const RequestHead& head, std::string& out);

/// A Via field says that the proxy called `pseudonym` has forwarded this request before (RFC 9110
/// section 7.6.3): it goes round in a loop.
bool via_names(const RequestHead& head, std::string_view pseudonym) noexcept;

/// Appends the fields of a worker's answer that a client may see: Content-Type, Retry-After and X-*
/// except X-Powered-By, X-Request-Id and X-Lmb-* (DESIGN.md section 6). Framing fields are the
/// caller's.
void append_response_fields(const ResponseHead& head, std::string& out);

/// The client's request id if it matches [A-Za-z0-9._-]{1,128}, else empty.
std::string_view valid_request_id(const RequestHead& head) noexcept;

}  // namespace lmb::protocol
