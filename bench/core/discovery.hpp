#pragma once

#include <string>

#include "lmb/base/error.hpp"
#include "lmb/bench/target.hpp"

namespace lmb::bench {

/// What there is to load, found out before the load begins.
struct Discovery {
  std::string model;  ///< To name in the requests.
  std::string note;   ///< For the operator; may be empty.
};

/// Looks whether `target` is an OpenAI-style server, and for the model: `wanted`, or when that is
/// empty the first loaded one that generates text (GET /api/v1/models tells which are loaded:
/// naming another one could make LM Studio load it), else the first of GET {base_path}/models.
/// Errors: a sentence for the operator as detail. Blocks for up to about 10 s.
Result<Discovery> discover(const Target& target, const std::string& api_key,
                           const std::string& wanted);

}  // namespace lmb::bench
