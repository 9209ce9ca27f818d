// Every limit that the config has is met by a series that counts its hits.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "key.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::config {
namespace {

/// A time-out that ends a request; the others only pace something.
bool ends_requests(std::string_view path) {
  return path.starts_with("timeouts.") && path != "timeouts.keep_alive" &&
         path != "timeouts.pool_idle" && path != "timeouts.shutdown_grace";
}

TEST(LimitMetric, counts_the_hits_of_every_limit) {
  const auto text = telemetry::Metrics({"mac"}, {"/v1/models"}, {"1", "x"}).render();
  std::size_t limits = 0;
  for (const auto& key : all_keys()) {
    const bool limit = key.path.starts_with("limits.") || key.path == "queue.length" ||
                       key.path == "models.load_timeout" || key.path == "retry.attempts" ||
                       key.path.starts_with("queue.max_wait") || ends_requests(key.path);
    if (!limit) continue;
    ++limits;
    const auto series = "lmbalancer_limit_hits_total{limit=\"" + std::string(key.path) + "\"} 0\n";
    EXPECT_NE(text.find(series), std::string::npos) << series;
  }
  EXPECT_GE(limits, 25U);
}

}  // namespace
}  // namespace lmb::config
