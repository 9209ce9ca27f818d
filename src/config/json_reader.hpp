#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "node.hpp"

namespace lmb::config {

/// What is wrong with a text that is not JSON, e.g. "line 3, column 7: expected ',' or '}', found a
/// text". Never holds anything of the text itself, which may be a secret.
struct SyntaxError {
  std::string message;
};

/// Reads JSON with // and /* */ comments (RFC 8259 otherwise). A UTF-8 byte order mark is skipped.
/// Columns count characters, from 1. Refuses what nlohmann would let pass: a NUL byte, which ends
/// its input early, and nesting so deep that destroying the tree would exhaust the stack.
std::variant<Node, SyntaxError> read_json(std::string_view text);

}  // namespace lmb::config
