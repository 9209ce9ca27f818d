#include "limit_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lmb::proxy {
namespace {

constexpr std::array<std::pair<ErrorKind, std::string_view>, 15> names{{
    {ErrorKind::head_too_large, "limits.head_bytes"},
    {ErrorKind::too_many_headers, "limits.header_count"},
    {ErrorKind::target_too_long, "limits.target_bytes"},
    {ErrorKind::body_too_large, "limits.body_bytes"},
    {ErrorKind::body_memory_full, "limits.body_memory"},
    {ErrorKind::inspections_full, "limits.inspections"},
    {ErrorKind::too_many_connections, "limits.connections"},
    {ErrorKind::queue_full, "queue.length"},
    {ErrorKind::queue_timeout, "queue.max_wait"},
    {ErrorKind::head_timeout, "timeouts.client_head"},
    {ErrorKind::body_timeout, "timeouts.client_body"},
    {ErrorKind::client_stalled, "timeouts.client_write"},
    {ErrorKind::request_timeout, "timeouts.request"},
    {ErrorKind::connect_timeout, "timeouts.connect"},
    {ErrorKind::send_timeout, "timeouts.send"},
}};

}  // namespace

std::string_view limit_name(ErrorKind kind, bool stream) noexcept {
  if (stream && kind == ErrorKind::queue_timeout) return "queue.max_wait_stream";
  const auto* found = std::find_if(names.begin(), names.end(),
                                   [kind](const auto& entry) { return entry.first == kind; });
  return found == names.end() ? std::string_view() : found->second;
}

}  // namespace lmb::proxy
