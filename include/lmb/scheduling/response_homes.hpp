#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/options.hpp"

namespace lmb::scheduling {

/// What becomes of a request that names a previous response.
enum class HomeVerdict : std::uint8_t {
  known,    ///< Only its home may serve it: put every other worker into Demand::tried.
  away,     ///< Its home is not there now: 409, naming the worker.
  unknown,  ///< Never seen, too old, or from before a restart: 409 while there are several workers.
  any,      ///< Unknown, but there is one worker only: let that one judge.
};

struct Home {
  HomeVerdict verdict = HomeVerdict::unknown;
  WorkerId worker;  ///< For known and away.
};

/// Which worker made which response: LM Studio keeps the state behind a `previous_response_id` on
/// the machine that gave it (/v1/responses and /api/v1/chat).
///
/// Ids are kept as 64-bit hashes: two of 100,000 collide with a chance below one in a billion, and
/// a request with a made-up id only reaches a worker that does not know it. About 80 bytes an id.
/// Pure; thread safety: none.
class ResponseHomes {
 public:
  explicit ResponseHomes(const ResponseHomesOptions& options) noexcept : options_(options) {}

  /// An answer of `worker` had this id. O(1), amortised.
  void remember(std::string_view id, WorkerId worker, TimePoint now);
  /// Another worker has its id: what the one before made is unknown from now on. O(1).
  void forget(WorkerId worker) noexcept { forgotten_[worker.value()] = told_; }
  /// `usable(worker)`: it is up and not draining away. `workers`: size of the fleet.
  [[nodiscard]] Home find(std::string_view id, TimePoint now, std::size_t workers,
                          const std::function<bool(WorkerId)>& usable) const;
  /// Not more than ids_max.
  [[nodiscard]] std::size_t size() const noexcept { return homes_.size(); }

 private:
  struct Entry {
    WorkerId worker;
    TimePoint at;
    std::uint64_t number;
  };
  struct Age {
    std::uint64_t id;
    TimePoint at;
    std::uint64_t number;
  };
  void forget(TimePoint now);

  ResponseHomesOptions options_;
  std::unordered_map<std::uint64_t, Entry> homes_;
  std::uint64_t told_ = 0;
  std::array<std::uint64_t, fleet_size_max> forgotten_{};  ///< By worker: up to this number.
  std::deque<Age> ages_;  ///< In the order they came; one whose entry is newer is skipped.
};

}  // namespace lmb::scheduling
