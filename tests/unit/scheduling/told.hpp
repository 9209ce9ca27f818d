#pragma once

#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "lmb/scheduling/effects.hpp"
#include "lmb/scheduling/offers.hpp"
#include "printing.hpp"

// How stories say what they tell the brain and what they expect of it.

namespace lmb::scheduling {

/// A grant as most stories tell it: which worker serves the ticket.
struct GrantedTo {
  TicketId ticket;
  WorkerId worker;
  bool operator==(const GrantedTo&) const = default;
};

/// Effects as stories compare them.
struct Told {
  std::vector<GrantedTo> grants;
  std::vector<RefusedTicket> refusals;
  std::vector<Transition> transitions;
  std::vector<WorkerId> wedged = {};
  std::vector<OverdueLoad> overdue = {};
  std::vector<WorkerId> doubted = {};
  bool operator==(const Told&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Told& told) {
  out << "Told{";
  for (const GrantedTo& grant : told.grants) {
    out << " ticket " << grant.ticket << " -> worker " << grant.worker << ';';
  }
  for (const RefusedTicket& refused : told.refusals) {
    out << ' ' << refused << ';';
  }
  for (const Transition& transition : told.transitions) {
    out << ' ' << transition << ';';
  }
  for (const WorkerId worker : told.wedged) {
    out << " worker " << worker << " wedged;";
  }
  for (const OverdueLoad& load : told.overdue) {
    out << " grant " << load.grant << " of worker " << load.worker << " overdue;";
  }
  for (const WorkerId worker : told.doubted) {
    out << " worker " << worker << " doubted;";
  }
  return out << " }";
}

inline const Told nothing{};

inline Told granted(std::initializer_list<GrantedTo> grants) {
  return {grants, {}, {}};
}
inline Told refused(std::initializer_list<RefusedTicket> refusals) {
  return {{}, refusals, {}};
}
inline Told changed(std::initializer_list<Transition> transitions) {
  return {{}, {}, transitions};
}

/// A model that a worker of a story has: one loaded instance of the same name, or on disk.
struct Has {
  std::string model;
  bool loaded = false;
};

inline Offers offers_of(const std::vector<Has>& models, std::uint32_t parallel = 0) {
  Offers offers;
  for (const Has& has : models) {
    ModelOffer& model = offers.models.emplace_back();
    model.key = has.model;
    if (has.loaded) {
      model.instances.push_back({.id = has.model, .parallel = parallel});
    }
  }
  return offers;
}

}  // namespace lmb::scheduling
