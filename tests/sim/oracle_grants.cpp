#include <algorithm>
#include <sstream>

#include "sim/oracle.hpp"
#include "unit/scheduling/printing.hpp"

// The oracle's view of a grant: was the right slot given to the right request.

namespace lmb::history {
namespace {

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace

void Oracle::check_slot(const Waiting& request, const scheduling::Slot& slot,
                        const Instance& instance) {
  const Worker& owner = workers_[slot.worker.value()];
  const auto loaded = static_cast<std::size_t>(
      std::count_if(owner.instances.begin(), owner.instances.end(), [&](const Instance& other) {
        return other.listed && other.loaded && other.model.key == instance.model.key;
      }));
  // The forwarded name must reach this instance and no other.
  const bool unambiguous = !instance.loaded || (loaded == 1 && instance.id == instance.model.key);
  const bool reaches =
      request.model == instance.id || (unambiguous && understands(instance, request.model));
  if (slot.rename == reaches) {
    complain(text("to rename or not: ", slot));
  }
  if (slot.cold == instance.loaded) {
    complain(text("cold or not: ", slot));
  }
  const View seen = view(request);
  for (const Instance& sibling : owner.instances) {
    if (eligible(slot.worker.value(), sibling, request, seen) &&
        occupied(sibling) < occupied(instance)) {
      complain(text(slot, " was chosen though ", sibling.id, " runs less"));
    }
  }
}

void Oracle::grant(const Waiting& request, const scheduling::Slot& slot) {
  const std::size_t chosen = slot.worker.value();
  if (chosen >= workers_.size() || !slot.id) {
    complain(text("no such slot: ", slot));
    return;
  }
  Worker& winner = workers_[chosen];
  const View seen = view(request);
  const auto instance =
      std::find_if(winner.instances.begin(), winner.instances.end(), [&](const Instance& each) {
        return each.id == *slot.id && each.listed &&
               (slot.cold ? may_load(chosen, each, request)
                          : eligible(chosen, each, request, seen));
      });
  if (instance == winner.instances.end()) {
    complain(text(slot, " is not eligible for ", request.ticket, " (model '", request.model, "')"));
    return;
  }
  check_slot(request, slot, *instance);
  for (std::size_t other = 0; other < workers_.size(); ++other) {
    if (slot.cold || other == chosen || !eligible(other, request, seen)) {
      continue;
    }
    Worker& rival = workers_[other];
    const std::uint64_t winner_load = std::uint64_t{occupied(winner) + 1} * rival.spec.weight;
    const std::uint64_t rival_load = std::uint64_t{occupied(rival) + 1} * winner.spec.weight;
    const bool winner_suspect = shunned(winner);
    const bool rival_suspect = shunned(rival);
    if (winner_suspect != rival_suspect) {
      if (winner_suspect) {
        complain(text("worker ", chosen, " was chosen though it is suspect"));
      }
      continue;
    }
    if (winner_load > rival_load) {
      complain(text("worker ", chosen, " was chosen though ", other, " has less to do"));
    }
    if (winner_load == rival_load && ++rival.passed_over >= workers_.size()) {
      complain(text("worker ", other, " lost ", rival.passed_over, " ties in a row"));
    }
  }
  winner.passed_over = 0;
  ++winner.grants;
  for (const Worker& worker : workers_) {
    for (const Instance& each : worker.instances) {
      if (each.leases.contains(slot.lease)) {
        complain(text(slot, " has a lease that is held already"));
      }
    }
  }
  // Before the trial counts: it may leave the others to panic, which is the next tick's matter.
  if (slot.cold && servable(request)) {
    complain(text(slot, " loads though an instance is free"));
  }
  const bool trial = winner.broken && admitted(winner);
  if (trial) {
    winner.trial_since = now_;
  }
  const bool boundless = request.stream && request.prompt_tokens == 0;
  if ((trial || !instance->settling.empty() || !instance->loaded || boundless) != slot.watched) {
    complain(text("watched or not: ", slot));
  }
  hold(winner, *instance, request, slot, trial);
}

void Oracle::hold(Worker& winner, Instance& instance, const Waiting& request,
                  const scheduling::Slot& slot, bool trial) {
  Lease lease;
  lease.granted = now_;
  lease.trial = trial;
  lease.cold_model = slot.cold ? instance.model.key : "";
  lease.grant = slot.grant;
  lease.prompt_tokens = request.prompt_tokens;
  lease.stream = request.stream;
  instance.leases[slot.lease] = lease;
  if (slot.cold) {
    winner.loads[instance.model.key] = {now_ + options_.models.load_timeout, false,
                                        !winner.unseen.contains(instance.model.key)};
    winner.load_began[instance.model.key] = now_;
  }
}

void Oracle::apply_grant(const scheduling::Grant& granted) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& request) {
    return request.ticket == granted.ticket;
  });
  if (found == waiting_.end()) {
    complain(text("a grant to one that does not wait: ", granted));
    return;
  }
  for (auto older = waiting_.begin(); older != found; ++older) {
    if (eligible(granted.slot.worker.value(), *older, view(*older))) {
      complain(text(granted, " passes the older ", older->ticket));
    }
  }
  const Waiting request = *found;
  waiting_.erase(found);
  grant(request, granted.slot);
}

}  // namespace lmb::history
