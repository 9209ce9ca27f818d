#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "lmb/base/error.hpp"

namespace lmb::protocol {

/// Content codings a request body may have (RFC 9110 section 8.4.1).
enum class ContentCoding { identity, gzip, deflate, unsupported };

/// Reads a Content-Encoding value; empty means identity, lists and others are unsupported.
ContentCoding parse_content_coding(std::string_view value) noexcept;

/// Inflates `body` into `out` (appended). Stops beyond `size_max` bytes, so a bomb costs no more
/// than that. Errors: bad_content_coding (corrupt or truncated data, bytes after the stream),
/// body_too_large, client_gone (`abandoned`, asked every 32 KiB, said so).
Result<void> inflate_body(std::string_view body, ContentCoding coding, std::size_t size_max,
                          std::string& out, const std::function<bool()>& abandoned = {});

}  // namespace lmb::protocol
