#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>

#include "lmb/admin/model_lists.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/proxy/front.hpp"
#include "lmb/proxy/local_answer.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::app {

/// What the local routes show; everything outlives the sessions.
struct LocalRouteParts {
  const dispatch::Dispatcher* dispatcher = nullptr;
  telemetry::Metrics* metrics = nullptr;
  const proxy::Shared* shared = nullptr;
  const admin::ModelLists* model_lists = nullptr;  ///< Read on `control` only.
  boost::asio::any_io_executor control;
  boost::asio::any_io_executor scribe;  ///< Where /metrics is written.
  const std::atomic<bool>* draining = nullptr;
};

/// GET /healthz, /readyz, /metrics and the model lists.
proxy::LocalRoutes make_local_routes(const LocalRouteParts& parts);

}  // namespace lmb::app
