#pragma once

#include <string>
#include <string_view>

namespace lmb {

/// Appends `text` as a JSON string with its quotes (RFC 8259 section 7). The output is well-formed
/// UTF-8 on one line whatever came in: control characters, also DEL and C1, become \u escapes,
/// invalid bytes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace lmb
