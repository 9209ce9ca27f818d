#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lmb/base/strong_id.hpp"

namespace lmb::scheduling {

/// An instance among those of its worker. Kept while the instance is listed or a request runs on
/// it, then used again.
using InstanceId = StrongId<struct InstanceIdTag, std::uint32_t>;
/// A slot that is taken, until it is given back; then used again.
using LeaseId = StrongId<struct LeaseIdTag, std::uint32_t>;

/// A slot taken for one request: which worker runs it, and on which instance.
struct Slot {
  WorkerId worker;
  InstanceId instance;
  LeaseId lease;
  /// Its number among all grants of the fleet; unlike `lease` it never comes again. From 1.
  std::uint64_t grant = 0;
  /// The worker has the model on disk only: this request makes it load.
  bool cold = false;
  /// Tell the brain of this request's first token at once (Scheduler::first_token): something waits
  /// for it. Otherwise Scheduler::note_first_token is enough.
  bool watched = false;
  /// The instance's id; the model's key while it is cold. Shared, so that it outlives a change of
  /// the catalogue. Null only in a Slot that was never granted.
  std::shared_ptr<const std::string> id;
  /// The forwarded body must name `id` as its model: what the client named would leave the worker a
  /// choice among its instances, or make it load one more.
  bool rename = false;
};

}  // namespace lmb::scheduling
