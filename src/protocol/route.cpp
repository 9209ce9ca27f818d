#include "lmb/protocol/route.hpp"

#include <algorithm>
#include <array>

#include "field_list.hpp"

namespace lmb::protocol {
namespace {

constexpr std::string_view post = "POST";
constexpr std::string_view get_or_head = "GET, HEAD";

constexpr std::array fixed_routes{
    Route{RouteKind::balanced, Dialect::openai_chat, "/v1/chat/completions", post},
    Route{RouteKind::balanced, Dialect::openai_completions, "/v1/completions", post},
    Route{RouteKind::balanced, Dialect::openai_embeddings, "/v1/embeddings", post},
    Route{RouteKind::balanced, Dialect::openai_responses, "/v1/responses", post},
    Route{RouteKind::balanced, Dialect::anthropic, "/v1/messages", post},
    Route{RouteKind::balanced, Dialect::lmstudio_chat, "/api/v1/chat", post},
    Route{RouteKind::balanced, Dialect::openai_chat, "/api/v0/chat/completions", post},
    Route{RouteKind::balanced, Dialect::openai_completions, "/api/v0/completions", post},
    Route{RouteKind::balanced, Dialect::openai_embeddings, "/api/v0/embeddings", post},
    Route{RouteKind::local, Dialect::none, "/v1/models", get_or_head},
    Route{RouteKind::local, Dialect::none, "/api/v0/models", get_or_head},
    Route{RouteKind::local, Dialect::none, "/api/v1/models", get_or_head},
    Route{RouteKind::local, Dialect::none, "/healthz", get_or_head},
    Route{RouteKind::local, Dialect::none, "/readyz", get_or_head},
    Route{RouteKind::local, Dialect::none, "/metrics", get_or_head},
    Route{RouteKind::not_proxied, Dialect::none, "/api/v1/models/load", post},
    Route{RouteKind::not_proxied, Dialect::none, "/api/v1/models/unload", post},
    Route{RouteKind::not_proxied, Dialect::none, "/api/v1/models/download", post},
};

/// A route whose path goes on with an id, which may hold slashes ("qwen/qwen3-30b-a3b").
struct IdRoute {
  std::string_view prefix;
  Route route;
};

constexpr std::array id_routes{
    IdRoute{"/v1/models/", {RouteKind::local, Dialect::none, "/v1/models/{id}", get_or_head}},
    IdRoute{"/api/v0/models/",
            {RouteKind::local, Dialect::none, "/api/v0/models/{id}", get_or_head}},
    IdRoute{"/api/v1/models/download/status/",
            {RouteKind::not_proxied, Dialect::none, "/api/v1/models/download/status/{id}",
             get_or_head}},
};

}  // namespace

Route find_route(std::string_view target) noexcept {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto fixed = std::find_if(fixed_routes.begin(), fixed_routes.end(),
                                  [&](const Route& route) { return route.label == path; });
  if (fixed != fixed_routes.end()) {
    return *fixed;
  }
  const auto with_id = std::find_if(id_routes.begin(), id_routes.end(), [&](const IdRoute& each) {
    return path.size() > each.prefix.size() && path.starts_with(each.prefix);
  });
  return with_id == id_routes.end() ? Route{} : with_id->route;
}

std::vector<std::string_view> route_labels() {
  std::vector<std::string_view> labels{Route{}.label};
  for (const auto& route : fixed_routes) labels.push_back(route.label);
  for (const auto& each : id_routes) labels.push_back(each.route.label);
  return labels;
}

std::vector<std::string_view> balanced_route_labels() {
  std::vector<std::string_view> labels;
  for (const auto& route : fixed_routes) {
    if (route.kind == RouteKind::balanced) labels.push_back(route.label);
  }
  return labels;
}

bool method_allowed(const Route& route, std::string_view method) noexcept {
  for (std::string_view rest = route.allow; !rest.empty();) {
    if (take_list_item(rest) == method) {
      return true;
    }
  }
  return false;
}

}  // namespace lmb::protocol
