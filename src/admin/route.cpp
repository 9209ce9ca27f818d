#include "route.hpp"

#include <array>
#include <utility>

#include "percent_decoding.hpp"

namespace lmb::admin {
namespace {

constexpr std::array<std::pair<std::string_view, Call>, 8> fixed_paths{{
    {"/healthz", Call::healthz},
    {"/readyz", Call::readyz},
    {"/metrics", Call::metrics},
    {"/admin/status", Call::status},
    {"/admin/workers", Call::workers},
    {"/admin/queue", Call::queue},
    {"/admin/requests", Call::requests},
    {"/admin/reload", Call::reload},
}};

}  // namespace

AdminRoute find_route(std::string_view path) {
  for (const auto& [name, call] : fixed_paths) {
    if (path == name) return {call, {}};
  }
  constexpr std::string_view workers = "/admin/workers/";
  if (!path.starts_with(workers)) return {};
  const auto rest = path.substr(workers.size());
  const auto slash = rest.find('/');
  if (slash == 0 || slash == std::string_view::npos) return {};
  const auto action = rest.substr(slash + 1);
  auto worker = percent_decoded(rest.substr(0, slash));
  if (action == "drain") return {Call::drain, std::move(worker)};
  if (action == "undrain") return {Call::undrain, std::move(worker)};
  return {};
}

bool changes(Call call) noexcept {
  return call == Call::drain || call == Call::undrain || call == Call::reload;
}

bool is_guarded(std::string_view path) noexcept {
  return path == "/admin" || path.starts_with("/admin/");
}

}  // namespace lmb::admin
