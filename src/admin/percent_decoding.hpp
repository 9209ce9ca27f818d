#pragma once

#include <string>
#include <string_view>

namespace lmb::admin {

/// Percent-decoding (RFC 3986 section 2.1): SDKs send `qwen%2Fqwen3-30b-a3b`. What is no valid
/// escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace lmb::admin
