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

/// Asked before inflated data is kept, with its size in bytes (at most 32 KiB); its error ends the
/// inflating.
using MayGrow = std::function<Result<void>(std::size_t bytes)>;

/// Inflates `body` into `out` (appended). Stops beyond `size_max` bytes, so a bomb costs no more
/// than that. Errors: bad_content_coding (corrupt or truncated data, bytes after the stream),
/// body_too_large, those of `may_grow`.
Result<void> inflate_body(std::string_view body, ContentCoding coding, std::size_t size_max,
                          std::string& out, const MayGrow& may_grow = {});

}  // namespace lmb::protocol
