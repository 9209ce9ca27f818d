#include "lmb/telemetry/metrics.hpp"

#include <gtest/gtest.h>

#include <string>

#include "exposition.hpp"
#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

const WorkerId mac_a(0);
const WorkerId mac_b(1);

/// Workers that join and leave while the metrics are told.
class WorkerChanges : public testing::Test {
 protected:
  [[nodiscard]] Exposition scrape() const { return Exposition(metrics_.render()); }

  Metrics metrics_{{"mac-a", "mac-b"}, {"/v1/chat/completions", "unknown"}, {"1.2.3", "abc123"}};
};

TEST_F(WorkerChanges, a_worker_that_left_the_fleet_is_not_told_any_more) {
  metrics_.record(sample_record());
  metrics_.set_fleet({{.worker = mac_b, .up = true}}, 0, 0);
  const std::string text = metrics_.render();
  EXPECT_EQ(text.find("mac-a"), std::string::npos);
  EXPECT_NE(text.find("mac-b"), std::string::npos);
}

TEST_F(WorkerChanges, requests_without_a_worker_are_told_whoever_is_in_the_fleet) {
  RequestRecord refused = sample_record();
  refused.worker.reset();
  metrics_.record(refused);
  metrics_.set_fleet({}, 0, 0);
  EXPECT_EQ(
      scrape().at(
          R"(lmbalancer_requests_total{code="200",route="/v1/chat/completions",worker="none"})"),
      1);
}

TEST_F(WorkerChanges, a_worker_that_joins_counts_at_its_place) {
  metrics_.set_fleet({{.worker = mac_a}, {.worker = mac_b}}, 0, 0);
  const WorkerId place(63);
  metrics_.set_worker(place, "mac-c");
  RequestRecord record = sample_record();
  record.worker = place;
  metrics_.record(record);
  metrics_.count_retry(place, ErrorKind::worker_error);
  const Exposition scraped = scrape();
  EXPECT_EQ(
      scraped.at(
          R"(lmbalancer_requests_total{code="200",route="/v1/chat/completions",worker="mac-c"})"),
      1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_retries_total{kind="worker_error",worker="mac-c"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_time_to_first_token_seconds_count{worker="mac-c"})"), 1);
}

TEST_F(WorkerChanges, a_name_goes_on_counting_at_another_place) {
  metrics_.count_connection(mac_a, false);
  metrics_.set_worker(WorkerId(2), "mac-a");
  metrics_.count_connection(WorkerId(2), false);
  metrics_.set_worker(mac_a, "mac-d");
  metrics_.count_connection(mac_a, false);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_connections_total{reuse="fresh",worker="mac-a"})"), 2);
  EXPECT_EQ(scraped.at(R"(lmbalancer_connections_total{reuse="fresh",worker="mac-d"})"), 1);
}

TEST_F(WorkerChanges, one_that_finishes_at_its_old_place_is_summed_up_with_its_new_one) {
  metrics_.set_worker(WorkerId(2), "mac-a");
  metrics_.set_fleet(
      {{.worker = mac_a, .draining = true, .in_flight = 3, .settling = 1, .retired = true},
       {.worker = WorkerId(2), .up = true, .in_flight = 2, .slots = 4}},
      0, 0);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_inflight_requests{worker="mac-a"})"), 5);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_settling_slots{worker="mac-a"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_slots{worker="mac-a"})"), 4);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_up{worker="mac-a"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_draining{worker="mac-a"})"), 0);
}

TEST_F(WorkerChanges, reloads_are_counted_and_the_last_one_is_told) {
  EXPECT_EQ(scrape().at("lmbalancer_config_last_reload_successful"), 1);
  EXPECT_GT(scrape().at("lmbalancer_config_last_reload_success_timestamp_seconds"), 1e9);
  metrics_.note_reload(true);
  metrics_.note_reload(false);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_config_reloads_total{result="ok"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_config_reloads_total{result="failed"})"), 1);
  EXPECT_EQ(scraped.at("lmbalancer_config_last_reload_successful"), 0);
}

}  // namespace
}  // namespace lmb::telemetry
