#include <gtest/gtest.h>

#include <chrono>

#include "lmb/telemetry/metrics.hpp"
#include "promtool.hpp"
#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

void expect_clean(const std::string& scrape) {
  const PromtoolOutcome outcome = promtool_check_metrics(scrape);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "");
}

TEST(Promtool, finds_nothing_wrong_with_a_fresh_scrape) {
  const Metrics metrics({"mac-a", "mac-b", "mac-c"}, {"/v1/chat/completions", "/v1/models/{id}"},
                        {"0.1.0", "0123abc"}, {"/v1/chat/completions"});
  expect_clean(metrics.render());
}

TEST(Promtool, finds_nothing_wrong_with_a_used_scrape_and_odd_names) {
  Metrics metrics({"mac \"1\"\\\n", "[fe80::1%en0]:1234",
                   "Stra\xC3\x9F"
                   "e \xFF\xC3"},
                  {"/v1/chat/completions"}, {"0.1.0+\"dirty\"", ""});
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    RequestRecord record = sample_record();
    record.worker = WorkerId(worker);
    metrics.record(record);
    record.status = 520;
    record.error = ErrorKind::client_gone;
    metrics.record(record);
    metrics.count_probe(WorkerId(worker), true, std::chrono::microseconds(321));
    metrics.count_retry(WorkerId(worker), ErrorKind::internal);
  }
  metrics.observe_loop_lag(3, std::chrono::nanoseconds(1));
  metrics.set_fleet({{.worker = WorkerId(0), .up = true, .in_flight = 1, .slots = 4}}, 1'000'000,
                    1ULL << 40U);
  expect_clean(metrics.render());
}

TEST(Promtool, is_not_deaf) {
  EXPECT_EQ(promtool_check_metrics("# HELP a_ms A.\n# TYPE a_ms counter\na_ms 1\n").exit_code, 3);
  EXPECT_EQ(promtool_check_metrics("a{b=\"\xFF\"} 1\n").exit_code, 1);
  EXPECT_NE(
      promtool_check_rules("groups: [{name: a, rules: [{record: b, expr: 'sum(('}]}]\n").exit_code,
      0);
}

}  // namespace
}  // namespace lmb::telemetry
