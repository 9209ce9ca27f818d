#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/scheduling/scheduler.hpp"

// What the oracle knows of the fleet and of those who wait.

namespace lmb::history::picture {

using scheduling::LeaseId;

struct Lease {
  TimePoint granted;
  bool trial = false;
  bool first_token = false;
  std::string cold_model;  ///< The model that it makes its worker load; empty = not cold.
  std::uint64_t grant = 0;
  std::uint64_t prompt_tokens = 0;
  bool stream = false;
  bool foreign = false;  ///< Of a membership that is over: it tells nothing of the worker.
};
struct Load {
  TimePoint deadline;
  bool orphan = false;
  bool learns = true;  ///< Nothing that the catalogue does not show yet was there before it.
};
struct Settling {
  TimePoint granted;
  TimePoint until;
};
struct Instance {
  std::string id;
  scheduling::ModelOffer model;  ///< As offered when it was last listed.
  scheduling::InstanceOffer offer;
  bool loaded = false;
  bool listed = false;
  std::map<LeaseId, Lease> leases;
  std::vector<Settling> settling;
};
struct Worker {
  scheduling::WorkerSpec spec;
  scheduling::Offers offers;  ///< As told last, without what its answers have proved wrong.
  bool member = true;
  scheduling::WorkerState state = scheduling::WorkerState::starting;
  std::uint32_t good_in_a_row = 0;
  std::uint32_t bad_in_a_row = 0;
  bool draining = false;
  bool read = false;
  std::vector<Instance> instances;  ///< Listed, or still with a lease.
  std::uint64_t grants = 0;
  std::uint32_t passed_over = 0;  ///< Ties lost since the last grant.
  scheduling::WorkerState told = scheduling::WorkerState::starting;
  std::uint32_t faults = 0;    ///< In a row, while the breaker is closed.
  std::uint32_t openings = 0;  ///< Of the breaker, since the last success.
  bool broken = false;         ///< The breaker is not closed.
  bool until_known = true;     ///< False: the jitter was not seen yet.
  TimePoint last_fault;
  TimePoint opened;
  TimePoint until;
  std::optional<TimePoint> trial_since;
  std::optional<TimePoint> slow_since;
  std::map<std::string, Load> loads;                                  ///< Those that run, by model.
  std::map<std::string, std::pair<TimePoint, std::uint32_t>> failed;  ///< Until when; how often.
  std::map<std::string, TimePoint> unseen;  ///< Answered from, not listed yet: until when.
  std::map<std::string, TimePoint> load_began;
  std::map<std::string, Duration> load_learned;
  TimePoint last_delivery;
};
struct Waiting {
  TicketId ticket;
  std::string model;
  scheduling::WorkerSet tried;
  TimePoint deadline;
  std::optional<TimePoint> stranded_since;
  std::uint64_t prompt_tokens = 0;
  bool stream = false;
};

}  // namespace lmb::history::picture
