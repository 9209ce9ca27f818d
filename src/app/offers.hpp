#pragma once

#include "lmb/protocol/model_list.hpp"
#include "lmb/scheduling/scheduler.hpp"

namespace lmb::app {

/// What a worker's model list means to the brain: every name that a request may use, loaded or not,
/// and the slots of its loaded instances together. An embedding instance counts as one slot (LM
/// Studio does not run embeddings in parallel).
scheduling::Offers offers_of(const protocol::ModelCatalogue& catalogue);

}  // namespace lmb::app
