#pragma once

#include <string>

#include "key.hpp"
#include "node.hpp"
#include "problem_list.hpp"

namespace lmb::config {

/// Reads one value into its key's field. A value of the wrong type or outside the range leaves the
/// field alone and adds a problem at `path`, the key's path with list indices filled in.
/// True when the value was taken.
bool read_value(const Key& key, const Node& node, const std::string& path, Target target,
                ProblemList& problems);

/// Why `secret` cannot be sent in a header field, or an empty text. Never tells what it is.
std::string secret_fault(const Key& key, std::string_view secret);

}  // namespace lmb::config
