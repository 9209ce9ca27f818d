#pragma once

#include <string>
#include <string_view>

namespace lmb::config {

/// What to say of a key that the section (see Section::path) does not have, and which key was
/// probably meant.
struct Suggestion {
  std::string
      text;  ///< "did you mean \"slots\"?", "it belongs in \"queue\"", or the keys known here.
  std::string_view meant;  ///< A name in the section; empty when none is near.
};

/// Near is one whose letters, without regard to case, '-' and '_', need few edits (insert, remove,
/// replace, swap neighbours): one, or a third of its length.
Suggestion suggest_key(std::string_view section, std::string_view unknown);

/// The edits between two names, case and '-' against '_' not counting.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace lmb::config
