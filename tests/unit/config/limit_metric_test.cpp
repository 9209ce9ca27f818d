// Every limit that the config has is met by a series that counts its hits.
#include <gtest/gtest.h>

#include <string>

#include "key.hpp"
#include "lmb/telemetry/metrics.hpp"

namespace lmb::config {
namespace {

TEST(LimitMetric, counts_the_hits_of_every_limit) {
  const auto text = telemetry::Metrics({"mac"}, {"/v1/models"}, {"1", "x"}).render();
  std::size_t limits = 0;
  for (const auto& key : all_keys()) {
    const bool limit = key.path.starts_with("limits.") || key.path == "queue.length" ||
                       key.path == "models.load_timeout" || key.path.starts_with("queue.max_wait");
    if (!limit) continue;
    ++limits;
    const auto series = "lmbalancer_limit_hits_total{limit=\"" + std::string(key.path) + "\"} 0\n";
    EXPECT_NE(text.find(series), std::string::npos) << series;
  }
  EXPECT_GE(limits, 15U);
}

}  // namespace
}  // namespace lmb::config
