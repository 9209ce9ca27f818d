#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::app {

/// A part of a request's time, as the demo shows it.
struct TimePart {
  std::string_view name;
  std::chrono::microseconds spent{};
  std::string_view meaning;
};

/// When a client saw the parts of a streamed answer, from the moment it began to ask.
struct SeenTimes {
  std::chrono::microseconds head{};
  std::chrono::microseconds first_token{};
  std::chrono::microseconds end{};
};

/// Where the time of a streamed request went: the phases that the balancer told in Server-Timing,
/// as far as they went when the head left; prefill goes on until the client sees the first token,
/// generate from there to the end; the last part is the rest, so that the parts sum to `seen.end`
/// exactly.
std::vector<TimePart> split_time(std::string_view server_timing, const SeenTimes& seen);

/// One line each part, in milliseconds and as a share, and a last line with their sums. Rounded
/// shares add up to 100.0 % too: what rounding takes from one part goes to the next.
std::string time_table(const std::vector<TimePart>& parts);

}  // namespace lmb::app
