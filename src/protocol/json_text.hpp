#pragma once

#include <string>
#include <string_view>

namespace lmb::protocol {

/// Appends `text` as a JSON string with its quotes (RFC 8259 section 7). Text that is not UTF-8 has
/// its bytes above 0x7F replaced by '?', so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

}  // namespace lmb::protocol
