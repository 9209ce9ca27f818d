#include "local_routes.hpp"

#include <utility>

#include "lmb/admin/metrics_page.hpp"
#include "lmb/net/run_on.hpp"

namespace lmb::app {
using proxy::LocalAnswer;
using proxy::LocalRequest;

namespace {

constexpr const char* json = "application/json";

LocalAnswer readiness(const LocalRouteParts& parts) {
  if (parts.draining->load()) return {503, json, R"({"ready":false,"reason":"shutting down"})"};
  if (!parts.dispatcher->any_up()) {
    return {503, json, R"({"ready":false,"reason":"no worker is up"})"};
  }
  return {200, json, R"({"ready":true})"};
}

net::Task<LocalAnswer> answer(LocalRouteParts parts, LocalRequest request) {
  if (request.route == "/healthz") {
    co_return LocalAnswer(200, json, R"({"status":"ok"})");
  }
  if (request.route == "/readyz") co_return readiness(parts);
  if (request.route == "/metrics") {
    const auto work = [parts] {
      return admin::render_metrics(*parts.dispatcher, *parts.metrics,
                                   parts.shared->body_memory.used());
    };
    auto body = co_await net::run_on(request.shard, parts.scribe, work);
    co_return LocalAnswer(200, std::string(telemetry::metrics_content_type), std::move(body));
  }
  const auto work = [lists = parts.model_lists, route = request.route,
                     target = std::move(request.target)] { return lists->render(route, target); };
  auto body = co_await net::run_on(request.shard, parts.watch_shard, work);
  const unsigned status = body.empty() ? 0 : 200;
  co_return LocalAnswer(status, json, std::move(body));
}

}  // namespace

proxy::LocalRoutes make_local_routes(const LocalRouteParts& parts) {
  return [parts](LocalRequest request) { return answer(parts, std::move(request)); };
}

}  // namespace lmb::app
