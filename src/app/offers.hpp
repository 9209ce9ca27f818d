#pragma once

#include <optional>
#include <vector>

#include "lmb/protocol/model_list.hpp"
#include "lmb/scheduling/offers.hpp"

namespace lmb::app {

/// What the workers' model lists mean to the brain: each model with every name that a request may
/// use for it, and its loaded instances. `fleet` has one place per worker, empty until its list was
/// read; so has the result.
///
/// Clients see one server, so a name that one worker lists means the same model everywhere
/// (protocol::same_model): "qwen/m" of a new LM Studio and "m" of an old one. A list that does not
/// tell what is loaded (/v1/models) counts each model as one loaded instance that tells no slots. A
/// list that has "m" and "m:2" as two entries has two instances of m.
std::vector<std::optional<scheduling::Offers>> offers_of(
    const std::vector<std::optional<protocol::ModelCatalogue>>& fleet);

}  // namespace lmb::app
