#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/admin/service.hpp"
#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"
#include "lmb/telemetry/request_record.hpp"

namespace lmb::admin {

/// What operators may see of a request: no prompt, no header, no address.
struct RequestRow {
  std::string id;
  std::string client;      ///< A key's name or a hash; empty = not known yet.
  std::string model;       ///< Cut at 200 bytes: clients choose it.
  std::string_view route;  ///< Static lifetime.
  std::optional<WorkerId> worker;
  telemetry::Phase phase = telemetry::Phase::read;
  Duration age{};
  Duration in_phase{};
  bool stream = false;
  std::uint32_t attempts = 0;
  std::uint64_t tokens = 0;  ///< Seen so far; 0 for answers that are not streamed.
};

/// The oldest requests, oldest first.
struct RequestList {
  std::vector<RequestRow> rows;
  std::size_t left_out = 0;  ///< Younger ones, beyond the limit.
};
/// Copies at most `limit` rows; on the shard whose requests `visit` visits.
RequestList list_requests(const VisitRequests& visit, std::size_t limit, TimePoint now);
/// Both together, the oldest `limit` of them.
void merge(RequestList& list, RequestList other, std::size_t limit);

/// Requests that wait for a slot, by model.
struct WaitList {
  struct Wait {
    std::size_t waiting = 0;
    Duration oldest{};
  };
  std::map<std::string, Wait, std::less<>> models;
  Wait others;  ///< Of models beyond the limit.
};
/// At most `limit` different models; on the shard whose requests `visit` visits.
WaitList list_waits(const VisitRequests& visit, std::size_t limit, TimePoint now);
void merge(WaitList& list, const WaitList& other, std::size_t limit);

}  // namespace lmb::admin
