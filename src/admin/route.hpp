#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lmb::admin {

/// What the admin listener can be asked for.
enum class Call : std::uint8_t {
  unknown,
  healthz,
  readyz,
  metrics,
  status,
  workers,
  queue,
  requests,
  drain,
  undrain,
  reload,
};

struct AdminRoute {
  Call call = Call::unknown;
  std::string worker;  ///< Of drain and undrain, percent-decoded.
};

/// The call behind a path (without its query). Matches whole paths only; no slash may follow.
AdminRoute find_route(std::string_view path);

/// Whether the call changes something: POST only. The others take GET and HEAD.
bool changes(Call call) noexcept;
/// Below /admin/: needs the key where one is set.
bool is_guarded(std::string_view path) noexcept;

}  // namespace lmb::admin
