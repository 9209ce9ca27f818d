#pragma once

#include <ostream>

#include "lmb/scheduling/demand.hpp"
#include "lmb/scheduling/effects.hpp"
#include "lmb/scheduling/retry.hpp"

// What gtest needs to show values of the brain when they differ from what a story expects.

namespace lmb {

template <class Tag, class Rep>
std::ostream& operator<<(std::ostream& out, StrongId<Tag, Rep> id) {
  return out << '#' << id.value();
}

}  // namespace lmb

namespace lmb::scheduling {

inline std::ostream& operator<<(std::ostream& out, WorkerState state) {
  return out << to_string(state);
}

inline std::ostream& operator<<(std::ostream& out, Refusal why) {
  return out << to_string(why);
}

inline std::ostream& operator<<(std::ostream& out, RetryDecision decision) {
  switch (decision) {
    case RetryDecision::give_up:
      return out << "give_up";
    case RetryDecision::same_worker_fresh_connection:
      return out << "same_worker_fresh_connection";
    case RetryDecision::another_worker:
      return out << "another_worker";
  }
  return out << "?";
}

inline std::ostream& operator<<(std::ostream& out, WorkerSet set) {
  out << '{';
  for (std::uint32_t i = 0; i < fleet_size_max; ++i) {
    if (set.contains(WorkerId(i))) {
      out << ' ' << i;
    }
  }
  return out << " }";
}

inline std::ostream& operator<<(std::ostream& out, const Slot& slot) {
  out << "worker " << slot.worker << " instance '" << (slot.id ? *slot.id : "") << '\'';
  return out << (slot.cold ? " cold" : "") << (slot.rename ? " renamed" : "");
}

inline std::ostream& operator<<(std::ostream& out, const Grant& grant) {
  return out << "ticket " << grant.ticket << " -> " << grant.slot;
}

inline std::ostream& operator<<(std::ostream& out, const RefusedTicket& refused) {
  return out << "ticket " << refused.ticket << " refused: " << refused.why;
}

inline std::ostream& operator<<(std::ostream& out, const Transition& transition) {
  return out << "worker " << transition.worker << ": " << transition.from << " -> "
             << transition.to;
}

inline std::ostream& operator<<(std::ostream& out, const Effects& effects) {
  out << "Effects{";
  for (const Grant& grant : effects.grants) {
    out << ' ' << grant << ';';
  }
  for (const RefusedTicket& refused : effects.refusals) {
    out << ' ' << refused << ';';
  }
  for (const Transition& transition : effects.transitions) {
    out << ' ' << transition << ';';
  }
  return out << " }";
}

}  // namespace lmb::scheduling
