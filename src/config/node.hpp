#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lmb::config {

enum class NodeKind : std::uint8_t { null, boolean, integer, fraction, text, list, object };

/// One value of a JSON text. Unlike nlohmann's own tree it keeps the order of an object's keys and
/// every repetition of a key, so that both can be reported.
struct Node {
  NodeKind kind = NodeKind::null;
  bool boolean = false;
  std::int64_t integer = 0;  ///< Beyond int64, the nearest int64: no key's range reaches there.
  std::string text;          ///< A text; of a fraction, its spelling in the file.
  std::vector<std::string> names;  ///< An object's keys, in file order.
  std::vector<Node>
      elements;  ///< A list's elements, or an object's values in the order of `names`.
};

}  // namespace lmb::config
