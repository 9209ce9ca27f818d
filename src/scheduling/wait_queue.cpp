#include "wait_queue.hpp"

#include <algorithm>

namespace lmb::scheduling {

TicketId WaitQueue::push(LaneKey key, TimePoint arrived, TimePoint deadline, Work work) {
  const TicketId ticket(++last_ticket_);
  const auto lane = lanes_.try_emplace(key).first;
  lane->second.tickets.insert(lane->second.tickets.end(), ticket);
  deadlines_.emplace(deadline, ticket);
  tickets_.emplace(ticket, Ticket{lane, arrived, deadline, work});
  return ticket;
}

std::optional<LaneKey> WaitQueue::remove(TicketId ticket) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) {
    return std::nullopt;
  }
  const auto lane = found->second.lane;
  const LaneKey key = lane->first;
  deadlines_.erase({found->second.deadline, ticket});
  tickets_.erase(found);
  lane->second.tickets.erase(ticket);
  if (lane->second.tickets.empty()) {
    lanes_.erase(lane);
  }
  return key;
}

std::optional<WaitQueue::Expiry> WaitQueue::next_expiry(Duration stranded_grace) const {
  if (tickets_.empty()) {
    return std::nullopt;
  }
  Expiry next{deadlines_.begin()->second, deadlines_.begin()->first, false};
  for (const auto& [key, lane] : lanes_) {
    if (!lane.stranded_since) {
      continue;
    }
    // Within a lane the first ticket has waited longest, so it is the first to run out of grace.
    const TicketId first = *lane.tickets.begin();
    const TimePoint since = std::max(*lane.stranded_since, tickets_.at(first).arrived);
    const Expiry stranded{first, add_saturated(since, stranded_grace), true};
    const auto order = [](const Expiry& e) { return std::tuple(e.at, !e.stranded, e.ticket); };
    if (order(stranded) < order(next)) {
      next = stranded;
    }
  }
  return next;
}

bool WaitQueue::consistent() const {
  std::size_t in_lanes = 0;
  for (const auto& [key, lane] : lanes_) {
    if (lane.tickets.empty()) {
      return false;
    }
    in_lanes += lane.tickets.size();
  }
  return in_lanes == tickets_.size() && deadlines_.size() == tickets_.size();
}

}  // namespace lmb::scheduling
