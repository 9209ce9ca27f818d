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

/// What is near: see near().
Suggestion suggest_key(std::string_view section, std::string_view unknown);

}  // namespace lmb::config
