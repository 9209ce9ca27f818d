#include "lmb/telemetry/metrics.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "exposition.hpp"
#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const WorkerId mac_a(0);
const WorkerId mac_b(1);

class MetricsTest : public testing::Test {
 protected:
  [[nodiscard]] Exposition scrape() const { return Exposition(metrics_.render()); }

  Metrics metrics_{{"mac-a", "mac-b"},
                   {"/v1/chat/completions", "/v1/models", "unknown"},
                   {"1.2.3", "abc123"},
                   {"/v1/chat/completions"}};
};

TEST_F(MetricsTest, a_finished_request_is_counted_by_worker_route_and_code) {
  metrics_.record(sample_record());
  metrics_.record(sample_record());
  const Exposition scraped = scrape();
  EXPECT_EQ(
      scraped.at(
          R"(lmbalancer_requests_total{code="200",route="/v1/chat/completions",worker="mac-a"})"),
      2);
  EXPECT_EQ(scraped.sum("lmbalancer_requests_total"), 2);
  EXPECT_EQ(scraped.at(R"(lmbalancer_request_duration_seconds_sum{route="/v1/chat/completions"})"),
            16);
  EXPECT_EQ(
      scraped.at(R"(lmbalancer_request_duration_seconds_count{route="/v1/chat/completions"})"), 2);
  EXPECT_EQ(
      scraped.at(
          R"(lmbalancer_request_duration_seconds_bucket{route="/v1/chat/completions",le="6"})"),
      0);
  EXPECT_EQ(
      scraped.at(
          R"(lmbalancer_request_duration_seconds_bucket{route="/v1/chat/completions",le="8"})"),
      2);
}

TEST_F(MetricsTest, phases_of_a_request_add_up_to_its_duration) {
  metrics_.record(sample_record());
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.sum("lmbalancer_phase_duration_seconds_sum"),
            scraped.sum("lmbalancer_request_duration_seconds_sum"));
  EXPECT_EQ(scraped.at(R"(lmbalancer_phase_duration_seconds_sum{phase="queue"})"), 0.5);
  EXPECT_EQ(scraped.at(R"(lmbalancer_phase_duration_seconds_sum{phase="generate"})"), 6);
  EXPECT_EQ(scraped.at(R"(lmbalancer_phase_duration_seconds_count{phase="connect"})"), 0)
      << "a phase that was not entered is not observed";
  EXPECT_EQ(scraped.at(R"(lmbalancer_phase_duration_seconds_count{phase="prefill"})"), 1);
}

TEST_F(MetricsTest, tokens_and_their_times_are_counted_by_worker) {
  RequestRecord record = sample_record();
  metrics_.record(record);
  record.worker = mac_b;
  record.token_source = TokenSource::estimate;
  metrics_.record(record);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_time_to_first_token_seconds_sum{worker="mac-a"})"), 2);
  EXPECT_EQ(scraped.at(R"(lmbalancer_time_to_first_token_seconds_count{worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_time_per_output_token_seconds_sum{worker="mac-a"})"), 0.5);
  EXPECT_EQ(scraped.at(R"(lmbalancer_prompt_tokens_total{source="usage",worker="mac-a"})"), 100);
  EXPECT_EQ(scraped.at(R"(lmbalancer_prompt_tokens_total{source="estimate",worker="mac-b"})"), 100);
  EXPECT_EQ(scraped.at(R"(lmbalancer_generation_tokens_total{source="usage",worker="mac-a"})"), 13);
  EXPECT_EQ(scraped.at(R"(lmbalancer_generation_tokens_total{source="usage",worker="mac-b"})"), 0);
}

TEST_F(MetricsTest, an_answer_of_one_token_has_a_ttft_and_no_tpot) {
  RequestRecord record = sample_record();
  record.generated_tokens = 1;
  record.last_token = record.first_token;
  metrics_.record(record);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_time_to_first_token_seconds_count{worker="mac-a"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_time_per_output_token_seconds_count{worker="mac-a"})"), 0);
}

TEST_F(MetricsTest, a_request_that_reached_no_worker_counts_as_none) {
  RequestRecord record;
  record.phases = PhaseClock(sample_begin);
  record.route = "/v1/chat/completions";
  record.status = 503;
  record.error = ErrorKind::queue_full;
  record.phases.stop(sample_begin + milliseconds(1));
  metrics_.record(record);
  const Exposition scraped = scrape();
  EXPECT_EQ(
      scraped.at(
          R"(lmbalancer_requests_total{code="503",route="/v1/chat/completions",worker="none"})"),
      1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_errors_total{kind="queue_full"})"), 1);
  EXPECT_EQ(scraped.sum("lmbalancer_errors_total"), 1);
  EXPECT_EQ(scraped.at("lmbalancer_queue_wait_seconds_count"), 0);
  EXPECT_EQ(scraped.sum("lmbalancer_prompt_tokens_total"), 0);
}

TEST_F(MetricsTest, strange_routes_and_codes_cannot_create_series_without_end) {
  RequestRecord record = sample_record();
  record.route = "/no/such/route";
  for (unsigned status = 0; status < 1200; ++status) {
    record.status = status;
    metrics_.record(record);
  }
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.sum("lmbalancer_requests_total"), 1200);
  EXPECT_EQ(scraped.count("lmbalancer_requests_total"), 64U + 2U);
  EXPECT_EQ(scraped.at(R"(lmbalancer_requests_total{code="none",route="unknown",worker="mac-a"})"),
            1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_requests_total{code="other",route="unknown",worker="mac-a"})"),
            99 + 600);
  EXPECT_EQ(scraped.at(R"(lmbalancer_requests_total{code="418",route="unknown",worker="mac-a"})"),
            -1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_requests_total{code="404",route="unknown",worker="mac-a"})"),
            1);
}

TEST_F(MetricsTest, queue_wait_covers_requests_that_did_not_wait) {
  RequestRecord record = sample_record();
  metrics_.record(record);
  record.phases = PhaseClock(sample_begin);
  record.phases.stop(sample_begin + seconds(1));
  metrics_.record(record);
  RequestRecord local;
  local.route = "/v1/models";
  local.status = 200;
  metrics_.record(local);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at("lmbalancer_queue_wait_seconds_count"), 2);
  EXPECT_EQ(scraped.at("lmbalancer_queue_wait_seconds_sum"), 0.5);
  EXPECT_EQ(scraped.at(R"(lmbalancer_queue_wait_seconds_bucket{le="0.001"})"), 1);
}

TEST_F(MetricsTest, a_client_that_leaves_is_counted_by_the_phase_it_left_in) {
  RequestRecord record = sample_record();
  record.error = ErrorKind::client_gone;
  metrics_.record(record);
  record.error = ErrorKind::worker_closed;
  metrics_.record(record);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_client_disconnects_total{phase="generate"})"), 1);
  EXPECT_EQ(scraped.sum("lmbalancer_client_disconnects_total"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_errors_total{kind="client_gone"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_errors_total{kind="worker_closed"})"), 1);
}

TEST_F(MetricsTest, what_a_client_that_leaves_saves_is_estimated_by_whole_answers) {
  RequestRecord record = sample_record();
  const auto leaves = [&](std::uint64_t most, std::uint64_t generated) {
    RequestRecord cut = record;
    cut.error = ErrorKind::client_gone;
    cut.tokens_most = most;
    cut.generated_tokens = generated;
    metrics_.record(cut);
    return scrape().at("lmbalancer_saved_tokens_total");
  };
  constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(leaves(unlimited, 0), 0) << "nothing is known of answers yet";
  for (const std::uint64_t tokens : {100U, 300U}) {
    record.generated_tokens = tokens;
    metrics_.record(record);
  }
  EXPECT_EQ(leaves(unlimited, 50), 150) << "200 is the mean";
  EXPECT_EQ(leaves(80, 50), 180) << "no more than was asked for";
  EXPECT_EQ(leaves(unlimited, 500), 180) << "never less than nothing";
  EXPECT_EQ(leaves(0, 0), 180) << "embeddings have no tokens";
}

TEST_F(MetricsTest, bytes_are_counted_by_peer_and_direction) {
  metrics_.record(sample_record());
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_bytes_total{direction="in",peer="client"})"), 1000);
  EXPECT_EQ(scraped.at(R"(lmbalancer_bytes_total{direction="out",peer="client"})"), 5000);
  EXPECT_EQ(scraped.at(R"(lmbalancer_bytes_total{direction="in",peer="worker"})"), 6000);
  EXPECT_EQ(scraped.at(R"(lmbalancer_bytes_total{direction="out",peer="worker"})"), 900);
}

TEST_F(MetricsTest, what_happens_at_workers_is_counted_by_worker) {
  metrics_.count_attempt_failure(mac_a, ErrorKind::connect_failed);
  metrics_.count_attempt_failure(mac_a, ErrorKind::connect_failed);
  metrics_.count_attempt_failure(mac_b, ErrorKind::request_timeout);
  metrics_.count_retry(mac_a, ErrorKind::worker_closed);
  metrics_.count_connection(mac_a, true);
  metrics_.count_connection(mac_a, false);
  metrics_.count_connection(mac_a, false);
  metrics_.count_probe(mac_b, true, microseconds(250));
  metrics_.count_probe(mac_b, false, seconds(2));
  metrics_.count_transition(mac_b, WorkerHealth::down);
  const Exposition scraped = scrape();
  EXPECT_EQ(
      scraped.at(R"(lmbalancer_attempt_failures_total{kind="connect_failed",worker="mac-a"})"), 2);
  EXPECT_EQ(
      scraped.at(R"(lmbalancer_attempt_failures_total{kind="request_timeout",worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_retries_total{kind="worker_closed",worker="mac-a"})"), 1);
  EXPECT_EQ(scraped.sum("lmbalancer_retries_total"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_connections_total{reuse="reused",worker="mac-a"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_connections_total{reuse="fresh",worker="mac-a"})"), 2);
  EXPECT_EQ(scraped.at(R"(lmbalancer_probes_total{result="ok",worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_probes_total{result="failed",worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_probe_duration_seconds_count{worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_probe_duration_seconds_bucket{worker="mac-b",le="0.00025"})"),
            1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_health_transitions_total{to="down",worker="mac-b"})"),
            1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_health_transitions_total{to="up",worker="mac-b"})"), 0);
}

TEST_F(MetricsTest, gauges_tell_the_fleet_as_it_was_set_last) {
  metrics_.set_fleet({{.worker = mac_a, .up = true, .in_flight = 3, .slots = 4},
                      {.worker = mac_b,
                       .up = true,
                       .suspect = true,
                       .breaker_open = true,
                       .draining = true,
                       .in_flight = 1,
                       .settling = 1,
                       .slots = 2}},
                     7, 1 << 20);
  metrics_.set_fleet({{.worker = mac_a},
                      {.worker = mac_b,
                       .up = true,
                       .suspect = true,
                       .breaker_open = true,
                       .draining = true,
                       .in_flight = 1,
                       .settling = 1,
                       .slots = 2}},
                     5, 12345);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_up{worker="mac-a"})"), 0);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_slots{worker="mac-a"})"), 0);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_up{worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_draining{worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_draining{worker="mac-a"})"), 0);
  for (const std::string name : {"suspect", "breaker_open", "settling_slots"}) {
    EXPECT_EQ(scraped.at("lmbalancer_worker_" + name + R"({worker="mac-b"})"), 1) << name;
    EXPECT_EQ(scraped.at("lmbalancer_worker_" + name + R"({worker="mac-a"})"), 0) << name;
  }
  EXPECT_EQ(scraped.at(R"(lmbalancer_inflight_requests{worker="mac-b"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_worker_slots{worker="mac-b"})"), 2);
  EXPECT_EQ(scraped.at("lmbalancer_queue_depth"), 5);
  EXPECT_EQ(scraped.at("lmbalancer_body_memory_bytes"), 12345);
}

TEST_F(MetricsTest, totals_of_the_scheduler_are_followed_and_never_go_back) {
  EXPECT_EQ(scrape().at("lmbalancer_retries_refused_total"), 0);
  metrics_.set_scheduler_totals(5, 2);
  metrics_.set_scheduler_totals(5, 2);
  metrics_.set_scheduler_totals(4, 3);
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at("lmbalancer_retries_refused_total"), 5);
  EXPECT_EQ(scraped.at("lmbalancer_panic_grants_total"), 3);
}

TEST_F(MetricsTest, the_daemon_counts_itself) {
  metrics_.count_access_lines_dropped(3);
  metrics_.count_access_lines_dropped(4);
  EXPECT_EQ(scrape().at("lmbalancer_access_log_lines_dropped_total"), 7);
  metrics_.count_limit_hit("limits.body_bytes");
  metrics_.count_limit_hit("timeouts.send");
  metrics_.count_limit_hit("limits.unheard_of");
  metrics_.count_limit_hit("");
  metrics_.client_connection_opened();
  metrics_.client_connection_opened();
  metrics_.client_connection_closed();
  metrics_.count_internal_error();
  metrics_.observe_loop_lag(0, milliseconds(500));
  metrics_.observe_loop_lag(11, milliseconds(1));
  const Exposition scraped = scrape();
  EXPECT_EQ(scraped.at(R"(lmbalancer_limit_hits_total{limit="limits.body_bytes"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_limit_hits_total{limit="timeouts.send"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_limit_hits_total{limit="other"})"), 2);
  EXPECT_EQ(scraped.count("lmbalancer_limit_hits_total"), 30U);
  EXPECT_EQ(scraped.at("lmbalancer_client_connections"), 1);
  EXPECT_EQ(scraped.at("lmbalancer_internal_errors_total"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_loop_lag_seconds_sum{shard="0"})"), 0.5);
  EXPECT_EQ(scraped.at(R"(lmbalancer_loop_lag_seconds_count{shard="11"})"), 1);
  EXPECT_EQ(scraped.at(R"(lmbalancer_build_info{git_hash="abc123",version="1.2.3"})"), 1);
}

TEST_F(MetricsTest, the_process_tells_its_size) {
  const Exposition scraped = scrape();
  EXPECT_GT(scraped.at("process_resident_memory_bytes"), 1e6);
  EXPECT_LT(scraped.at("process_resident_memory_bytes"), 1e12);
  EXPECT_GE(scraped.at("process_open_fds"), 3);
  EXPECT_LE(scraped.at("process_open_fds"), scraped.at("process_max_fds"));
  EXPECT_GE(scraped.at("process_cpu_seconds_total"), 0);
  EXPECT_GT(scraped.at("process_start_time_seconds"), 1.5e9);
}

TEST_F(MetricsTest, known_series_stand_at_zero_before_anything_happens) {
  const Exposition scraped = scrape();
  for (const char* series :
       {R"(lmbalancer_requests_total{code="200",route="/v1/chat/completions",worker="mac-b"})",
        R"(lmbalancer_errors_total{kind="connect_failed"})",
        R"(lmbalancer_attempt_failures_total{kind="bad_response",worker="mac-a"})",
        R"(lmbalancer_retries_total{kind="connect_failed",worker="mac-b"})",
        R"(lmbalancer_client_disconnects_total{phase="queue"})",
        R"(lmbalancer_time_to_first_token_seconds_bucket{worker="mac-b",le="2560"})",
        R"(lmbalancer_time_per_output_token_seconds_bucket{worker="mac-b",le="0.025"})",
        R"(lmbalancer_phase_duration_seconds_bucket{phase="proxy",le="0.0001"})",
        R"(lmbalancer_request_duration_seconds_bucket{route="unknown",le="1800"})",
        R"(lmbalancer_probes_total{result="failed",worker="mac-a"})",
        R"(lmbalancer_worker_health_transitions_total{to="down",worker="mac-a"})",
        R"(lmbalancer_limit_hits_total{limit="queue.length"})"}) {
    EXPECT_EQ(scraped.at(series), 0) << series;
  }
  EXPECT_EQ(scraped.count("lmbalancer_errors_total"), error_kind_count);
  EXPECT_EQ(
      scraped.at(R"(lmbalancer_requests_total{code="200",route="/v1/models",worker="mac-a"})"), -1)
      << "a local route has no worker";
}

TEST_F(MetricsTest, what_is_exposed_is_what_is_described) {
  metrics_.record(sample_record());
  metrics_.observe_loop_lag(0, milliseconds(1));
  const Exposition scraped = scrape();
  std::set<std::string> described;
  for (const Metrics::Description& description : metrics_.describe()) {
    const std::string& name = description.name;
    EXPECT_TRUE(described.insert(name).second) << name << " is described twice";
    ASSERT_TRUE(scraped.types.contains(name)) << name << " is not exposed";
    EXPECT_EQ(scraped.types.at(name), description.type) << name;
    EXPECT_EQ(scraped.help.at(name), description.help) << name;
    EXPECT_FALSE(description.unit.empty()) << name;
    EXPECT_EQ(name.ends_with("_total"), description.type == "counter") << name;

    const std::string sample = description.type == "histogram" ? name + "_count" : name;
    std::set<std::string> labels(description.labels.begin(), description.labels.end());
    for (const auto& [series, value] : scraped.samples) {
      if (series.substr(0, series.find('{')) != sample) continue;
      EXPECT_EQ(std::count(series.begin(), series.end(), '='),
                static_cast<std::ptrdiff_t>(labels.size()))
          << series;
      for (const std::string& label : labels) {
        EXPECT_NE(series.find(label + "=\""), std::string::npos) << series;
      }
    }
  }
  for (const auto& [name, type] : scraped.types) {
    EXPECT_TRUE(described.contains(name)) << name << " is exposed and not described";
  }
}

}  // namespace
}  // namespace lmb::telemetry
