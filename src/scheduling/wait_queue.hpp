#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/demand.hpp"
#include "model_table.hpp"
#include "work.hpp"

namespace lmb::scheduling {

/// What decides which workers may serve a waiting request.
struct LaneKey {
  ModelId model;
  WorkerSet tried;
  std::uint64_t prompt_tokens = 0;  ///< Rounded, see context_step.
  bool rename = false;  ///< The client used an alias, or gets a fallback: tell the worker its name.
  friend bool operator<(const LaneKey& a, const LaneKey& b) noexcept {
    return std::tuple(a.model.value(), a.tried.bits(), a.prompt_tokens, a.rename) <
           std::tuple(b.model.value(), b.tried.bits(), b.prompt_tokens, b.rename);
  }
};

/// A prompt's size, rounded up to eighths of a power of two: so many lanes there can be, and an
/// estimate is not more exact.
constexpr std::uint64_t context_step(std::uint64_t tokens) noexcept {
  constexpr std::uint64_t least = 1024;
  if (tokens <= least) {
    return tokens == 0 ? 0 : least;
  }
  const std::uint64_t step = std::bit_floor(tokens - 1) / 8;
  return (tokens + step - 1) / step * step;
}

/// The requests that wait, first come first served.
///
/// Requests with the same key may be served by the same workers, so they stand in one lane: finding
/// the oldest request that a freed slot can serve looks at the lanes' first tickets only, never at
/// those behind them. Ticket numbers rise with arrival, so a lane ordered by number is a FIFO. The
/// caller keeps the length limit. Lifetime: holds ids and times only, nothing of a request.
class WaitQueue {
 public:
  struct Lane {
    std::set<TicketId> tickets;  ///< Never empty.
    /// Since when no worker could serve the lane even with free slots; nothing = one could.
    std::optional<TimePoint> stranded_since;
  };
  using Lanes = std::map<LaneKey, Lane>;

  struct Ticket {
    Lanes::iterator lane;
    TimePoint arrived;
    TimePoint deadline;
    Work work;
  };

  /// A place at the end. A new lane starts not stranded. O(log n).
  TicketId push(LaneKey key, TimePoint arrived, TimePoint deadline, Work work = {});
  /// Takes a ticket out; returns its lane's key, or nothing when it does not wait. O(log n).
  std::optional<LaneKey> remove(TicketId ticket);

  [[nodiscard]] std::size_t size() const noexcept { return tickets_.size(); }
  [[nodiscard]] bool empty() const noexcept { return tickets_.empty(); }
  [[nodiscard]] Lanes& lanes() noexcept { return lanes_; }
  [[nodiscard]] const Lanes& lanes() const noexcept { return lanes_; }
  /// The lane of a waiting ticket.
  [[nodiscard]] Lane& lane_of(TicketId ticket) { return tickets_.at(ticket).lane->second; }

  [[nodiscard]] TimePoint arrived(TicketId ticket) const { return tickets_.at(ticket).arrived; }
  [[nodiscard]] const Work& work_of(TicketId ticket) const { return tickets_.at(ticket).work; }

  /// The ticket that is to be refused next and when: the earlier of the first deadline and of the
  /// first stranded ticket's arrival or stranding, whichever is later, plus `stranded_grace`. At
  /// the same time the deadline comes last: "no worker" tells the client more. O(lanes).
  struct Expiry {
    TicketId ticket;
    TimePoint at;
    bool stranded = false;
  };
  [[nodiscard]] std::optional<Expiry> next_expiry(Duration stranded_grace) const;

  /// Counts agree and no lane is empty. O(n); for assertions.
  [[nodiscard]] bool consistent() const;

 private:
  Lanes lanes_;
  std::unordered_map<TicketId, Ticket> tickets_;
  std::set<std::pair<TimePoint, TicketId>> deadlines_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace lmb::scheduling
