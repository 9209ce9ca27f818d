#include "local_routes.hpp"

#include <utility>

#include "lmb/admin/metrics_page.hpp"
#include "lmb/admin/readiness.hpp"
#include "lmb/net/run_on.hpp"

namespace lmb::app {
using proxy::LocalAnswer;
using proxy::LocalRequest;

namespace {

constexpr const char* json = "application/json";

/// A model that nobody lists is unknown only when everybody's list was read.
LocalAnswer find_models(const admin::ModelLists& lists, std::string_view route,
                        std::string_view target) {
  LocalAnswer answer(200, json, lists.render(route, target));
  if (!answer.body.empty()) return answer;
  answer.status = 0;
  answer.refusal = lists.complete() ? ErrorKind::model_not_found : ErrorKind::no_worker;
  return answer;
}

net::Task<LocalAnswer> answer(LocalRouteParts parts, LocalRequest request) {
  if (request.route == "/healthz") {
    co_return LocalAnswer(200, json, admin::health_body);
  }
  if (request.route == "/readyz") {
    auto [ready, body] = admin::readiness(*parts.dispatcher, parts.draining->load());
    const unsigned status = ready ? 200 : 503;
    co_return LocalAnswer(status, json, std::move(body));
  }
  if (request.route == "/metrics") {
    const auto work = [parts] {
      return admin::render_metrics(*parts.dispatcher, *parts.metrics,
                                   parts.shared->body_memory.used());
    };
    auto body = co_await net::run_on(request.shard, parts.scribe, work);
    co_return LocalAnswer(200, std::string(telemetry::metrics_content_type), std::move(body));
  }
  const auto work = [lists = parts.model_lists, route = request.route,
                     target = std::move(request.target)] {
    return find_models(*lists, route, target);
  };
  auto found = co_await net::run_on(request.shard, parts.control, work);
  co_return found;
}

}  // namespace

proxy::LocalRoutes make_local_routes(const LocalRouteParts& parts) {
  return [parts](LocalRequest request) { return answer(parts, std::move(request)); };
}

}  // namespace lmb::app
