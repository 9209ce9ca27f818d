#pragma once

#include <string>
#include <string_view>

#include "key.hpp"
#include "node.hpp"

namespace lmb::config {

/// `text` in double quotes, fit for one line of a terminal or log: all but visible ASCII is
/// escaped, and what exceeds 60 bytes is cut.
std::string quoted(std::string_view text);

/// The path of a key of an object: "queue" + "length" = "queue.length"; odd names are quoted.
std::string child_path(std::string_view object, std::string_view name);
/// "workers" + 1 = "workers[1]".
std::string element_path(std::string_view list, std::size_t index);

/// What a key takes, for "expected ...", e.g. `a duration from 10ms to 1h, such as "30s"`.
std::string expectation(const Key& key);

/// What stands in the file, for "found ...": "the number 30", "the text \"abc\"", "a list".
/// `show_value` false tells the kind only: for secrets, and for what may hold one by mistake.
std::string finding(const Node& node, bool show_value);

}  // namespace lmb::config
