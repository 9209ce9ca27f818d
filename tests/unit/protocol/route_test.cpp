#include "lmb/protocol/route.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

TEST(Route, knows_every_path_of_the_service) {
  const struct {
    std::string_view target;
    RouteKind kind;
    Dialect dialect;
    std::string_view label;
    std::string_view allow;
  } cases[] = {
      {"/v1/chat/completions", RouteKind::balanced, Dialect::openai_chat, "/v1/chat/completions",
       "POST"},
      {"/v1/completions", RouteKind::balanced, Dialect::openai_completions, "/v1/completions",
       "POST"},
      {"/v1/embeddings", RouteKind::balanced, Dialect::openai_embeddings, "/v1/embeddings", "POST"},
      {"/v1/responses", RouteKind::balanced, Dialect::openai_responses, "/v1/responses", "POST"},
      {"/v1/messages", RouteKind::balanced, Dialect::anthropic, "/v1/messages", "POST"},
      {"/api/v1/chat", RouteKind::balanced, Dialect::lmstudio_chat, "/api/v1/chat", "POST"},
      {"/api/v0/chat/completions", RouteKind::balanced, Dialect::openai_chat,
       "/api/v0/chat/completions", "POST"},
      {"/api/v0/completions", RouteKind::balanced, Dialect::openai_completions,
       "/api/v0/completions", "POST"},
      {"/api/v0/embeddings", RouteKind::balanced, Dialect::openai_embeddings, "/api/v0/embeddings",
       "POST"},
      {"/v1/models", RouteKind::local, Dialect::none, "/v1/models", "GET, HEAD"},
      {"/v1/models/qwen/qwen3-30b-a3b", RouteKind::local, Dialect::none, "/v1/models/{id}",
       "GET, HEAD"},
      {"/v1/models/qwen%2Fqwen3", RouteKind::local, Dialect::none, "/v1/models/{id}", "GET, HEAD"},
      {"/api/v0/models", RouteKind::local, Dialect::none, "/api/v0/models", "GET, HEAD"},
      {"/api/v0/models/m", RouteKind::local, Dialect::none, "/api/v0/models/{id}", "GET, HEAD"},
      {"/api/v1/models", RouteKind::local, Dialect::none, "/api/v1/models", "GET, HEAD"},
      {"/healthz", RouteKind::local, Dialect::none, "/healthz", "GET, HEAD"},
      {"/readyz", RouteKind::local, Dialect::none, "/readyz", "GET, HEAD"},
      {"/metrics", RouteKind::local, Dialect::none, "/metrics", "GET, HEAD"},
      {"/api/v1/models/load", RouteKind::not_proxied, Dialect::none, "/api/v1/models/load", "POST"},
      {"/api/v1/models/unload", RouteKind::not_proxied, Dialect::none, "/api/v1/models/unload",
       "POST"},
      {"/api/v1/models/download", RouteKind::not_proxied, Dialect::none, "/api/v1/models/download",
       "POST"},
      {"/api/v1/models/download/status/job_1", RouteKind::not_proxied, Dialect::none,
       "/api/v1/models/download/status/{id}", "GET, HEAD"},
  };
  for (const auto& each : cases) {
    for (const std::string_view query : {"", "?", "?a=/v1/models"}) {
      const std::string target = std::string(each.target).append(query);
      SCOPED_TRACE(target);
      const Route route = find_route(target);
      EXPECT_EQ(route.kind, each.kind);
      EXPECT_EQ(route.dialect, each.dialect);
      EXPECT_EQ(route.label, each.label);
      EXPECT_EQ(route.allow, each.allow);
    }
  }
}

TEST(Route, is_unknown_for_everything_else) {
  for (const std::string_view target : {"",
                                        "/",
                                        "*",
                                        "?",
                                        "/v1",
                                        "/v1/",
                                        "/v1/models/",
                                        "/v1/models/?id=m",
                                        "/v1/chat/completions/",
                                        "/V1/models",
                                        "//v1/models",
                                        "/v1//models",
                                        "/v1/../v1/models",
                                        "/v1/modelsx",
                                        "/v2/models",
                                        "/chat/completions",
                                        "/v1/messages/count_tokens",
                                        "/api/v1/models/loaded",
                                        "/api/v1/models/m",
                                        "/api/v1/models/download/status/",
                                        "/api/v1/models/download/status",
                                        "/admin/status",
                                        "/v1%2Fmodels",
                                        "/healthz/",
                                        "/lmstudio-greeting",
                                        "unknown"}) {
    SCOPED_TRACE(target);
    const Route route = find_route(target);
    EXPECT_EQ(route.kind, RouteKind::unknown);
    EXPECT_EQ(route.dialect, Dialect::none);
    EXPECT_EQ(route.label, "unknown");
    EXPECT_EQ(route.allow, "");
  }
}

TEST(Route, allows_exactly_its_methods) {
  const Route balanced = find_route("/v1/chat/completions");
  const Route local = find_route("/v1/models");
  EXPECT_TRUE(method_allowed(balanced, "POST"));
  EXPECT_TRUE(method_allowed(local, "GET"));
  EXPECT_TRUE(method_allowed(local, "HEAD"));
  for (const std::string_view method :
       {"", "post", "GET", "HEAD", "PUT", "POST ", "POS", "POSTS"}) {
    EXPECT_FALSE(method_allowed(balanced, method)) << method;
  }
  for (const std::string_view method : {"", "get", "POST", "GET, HEAD", "GET,", " HEAD", "HEA"}) {
    EXPECT_FALSE(method_allowed(local, method)) << method;
  }
  EXPECT_FALSE(method_allowed(find_route("/nowhere"), "GET"));
}

}  // namespace
}  // namespace lmb::protocol
