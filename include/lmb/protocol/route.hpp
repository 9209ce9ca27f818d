#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lmb::protocol {

/// The API dialect of a route: decides error bodies and how stream events are read.
enum class Dialect : std::uint8_t {
  openai_chat,         ///< /v1/chat/completions, /api/v0/chat/completions
  openai_completions,  ///< /v1/completions, /api/v0/completions
  openai_embeddings,   ///< /v1/embeddings, /api/v0/embeddings
  openai_responses,    ///< /v1/responses
  anthropic,           ///< /v1/messages
  lmstudio_chat,       ///< /api/v1/chat
  none,                ///< Local routes; errors in OpenAI's form.
};

/// The worker keeps answers, and a later request may name one by its id.
constexpr bool has_stored_responses(Dialect dialect) noexcept {
  return dialect == Dialect::openai_responses || dialect == Dialect::lmstudio_chat;
}

/// What is done with a request path (DESIGN.md section 6).
enum class RouteKind : std::uint8_t {
  balanced,     ///< POST, goes to a worker.
  local,        ///< GET and HEAD, answered by us.
  not_proxied,  ///< Model management: 403.
  unknown,      ///< 404.
};

struct Route {
  RouteKind kind = RouteKind::unknown;
  Dialect dialect = Dialect::none;
  /// Bounded metric label: the path's template, e.g. "/v1/models/{id}", or "unknown".
  std::string_view label = "unknown";
  /// Allowed methods, as an Allow header's value: "POST" or "GET, HEAD". Empty for unknown.
  std::string_view allow;
};

/// Finds the route of a target's path; the query part is ignored for matching.
Route find_route(std::string_view target) noexcept;

/// Every label that find_route() can give, "unknown" included: the bounded label set of the
/// metrics.
std::vector<std::string_view> route_labels();
/// The labels of the routes that go to workers.
std::vector<std::string_view> balanced_route_labels();

/// True when `method` is one that `route.allow` lists.
bool method_allowed(const Route& route, std::string_view method) noexcept;

}  // namespace lmb::protocol
