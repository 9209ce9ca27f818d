#include "lmb/bench/run_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lmb::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// `n` complete requests of 1, 2 ... n ms on worker "mac-05", then a failed one.
LoadReport load_of(int n) {
  LoadReport load;
  load.concurrency = 6;
  load.requests = static_cast<std::size_t>(n) + 1;
  load.wall = seconds(2);
  for (int i = 1; i <= n; ++i) {
    RequestSample sample;
    sample.index = static_cast<std::size_t>(n - i);
    sample.outcome = Outcome::complete;
    sample.status = 200;
    sample.worker = "mac-05";
    sample.head = sample.first_token = Duration(milliseconds(i)) / 2;
    sample.last_token = sample.end = milliseconds(i);
    sample.prompt_tokens = 100;
    sample.generated_tokens = 11;
    sample.token_source = TokenSource::usage;
    sample.queue = Duration(milliseconds(i)) / 4;
    load.samples.push_back(sample);
  }
  RequestSample bad;
  bad.index = static_cast<std::size_t>(n);
  bad.failure = Failure::http_status;
  bad.status = 503;
  bad.error_message = "queue \x1b[31mfull, \"sorry\"";
  bad.end = milliseconds(1);
  load.samples.push_back(bad);
  return load;
}

RunReport report_of(LoadReport load) {
  RunReport report;
  report.plan.target = parse_target("http://127.0.0.1:8080").value();
  report.plan.model = "m";
  report.plan.stream = load.stream;
  report.plan.concurrency = load.concurrency;
  report.summaries.push_back(summarize(load));
  report.loads.push_back(std::move(load));
  return report;
}

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "missing: " << part << "\nin:\n" << text;
}

TEST(RunReportText, shows_maxima_as_maxima) {
  const std::string text = render_text(report_of(load_of(40)));
  expect_has(text, "38.0  40.0 (max, n=40)");
  EXPECT_EQ(render_text(report_of(load_of(100))).find("max, n="), std::string::npos);
}

TEST(RunReportText, names_workers_failures_queue_and_littles_law) {
  const std::string text = render_text(report_of(load_of(40)));
  expect_has(text, "97.6 %");  // 40 of 41
  expect_has(text, "failed: http_503 1, e.g. \"queue  [31mfull, \"sorry\"\"");
  expect_has(text, "mac-05        40  100.0 %");
  expect_has(text, "50.0 % of TTFT, told by 40 answers");
  expect_has(text, "in flight: 0.41 on average = 20.5 req/s x 20.0 ms, over 41 requests");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(RunReportText, prints_its_definitions) {
  const std::string text = render_text(report_of(load_of(40)));
  expect_has(text, "TPOT             (last token - first token) / (tokens - 1)");
  expect_has(text, "nearest rank on the raw samples");
}

TEST(RunReportText, has_no_token_table_without_stream) {
  LoadReport load = load_of(40);
  load.stream = false;
  for (auto& sample : load.samples) sample.first_token = sample.last_token = std::nullopt;
  const std::string text = render_text(report_of(std::move(load)));
  EXPECT_EQ(text.find("TTFT avg"), std::string::npos);
  expect_has(text, "25.0 % of the response time");
}

TEST(RunReportText, marks_chunks_and_an_invalid_or_interrupted_run) {
  LoadReport load = load_of(40);
  for (auto& sample : load.samples) sample.token_source = TokenSource::chunks;
  load.watch.cpu = seconds(2);
  load.interrupted = true;
  const std::string text = render_text(report_of(std::move(load)));
  expect_has(text, "(chunks)");
  expect_has(text, "RUN INVALID, the load generator was the limit: it used 100.0 %");
  expect_has(text, "INTERRUPTED");
}

TEST(RunReportText, says_in_whole_sentences_what_the_load_generator_cost) {
  LoadReport load = load_of(40);
  load.watch.cpu = milliseconds(10);
  load.watch.loop_lags = {milliseconds(1), milliseconds(1)};
  expect_has(render_text(report_of(std::move(load))),
             "  load generator: used 0.5 % of a processor; read events up to 1.00 ms late at P99, "
             "1.00 ms at most\n");
}

TEST(RunReport, succeeded_when_all_was_answered_by_a_load_generator_that_kept_up) {
  LoadReport good = load_of(40);
  good.samples.pop_back();  // The failed one.
  EXPECT_TRUE(succeeded(report_of(good)));
  EXPECT_FALSE(succeeded(report_of(load_of(40)))) << "one request failed";
  LoadReport invalid = good;
  invalid.watch.cpu = seconds(2);
  EXPECT_FALSE(succeeded(report_of(std::move(invalid)))) << "the load generator was the limit";
  LoadReport interrupted = good;
  interrupted.interrupted = true;
  EXPECT_FALSE(succeeded(report_of(std::move(interrupted))));
  EXPECT_FALSE(succeeded(RunReport())) << "nothing ran";
}

TEST(RunReportText, says_when_nothing_ran) {
  expect_has(render_text(report_of(LoadReport())), "nothing ran");
}

TEST(RunReportJson, uses_vllms_keys) {
  const auto json = nlohmann::json::parse(render_json(report_of(load_of(100))));
  EXPECT_EQ(json["model_id"], "m");
  EXPECT_EQ(json["date"], "1970-01-01T00:00:00Z");
  const auto& run = json["runs"].at(0);
  EXPECT_EQ(run["completed"], 100);
  EXPECT_EQ(run["failed"], 1);
  EXPECT_EQ(run["max_concurrency"], 6);
  EXPECT_EQ(run["num_prompts"], 101);
  EXPECT_DOUBLE_EQ(run["request_throughput"].get<double>(), 50);
  EXPECT_DOUBLE_EQ(run["output_throughput"].get<double>(), 550);
  EXPECT_DOUBLE_EQ(run["total_token_throughput"].get<double>(), 5550);
  EXPECT_DOUBLE_EQ(run["mean_ttft_ms"].get<double>(), 25.25);
  EXPECT_DOUBLE_EQ(run["median_ttft_ms"].get<double>(), 25);
  EXPECT_DOUBLE_EQ(run["p99_ttft_ms"].get<double>(), 49.5);
  EXPECT_DOUBLE_EQ(run["p99_tpot_ms"].get<double>(), 4.95);
  EXPECT_DOUBLE_EQ(run["p95_e2el_ms"].get<double>(), 95);
  EXPECT_EQ(run["failures"]["http_503"], 1);
  EXPECT_EQ(run["per_worker"].at(0)["name"], "mac-05");
  EXPECT_DOUBLE_EQ(run["per_worker"].at(0)["share"].get<double>(), 1);
  EXPECT_EQ(run["load_generator"]["valid"], true);
}

TEST(RunReportJson, refuses_percentiles_of_too_few_samples) {
  const auto json = nlohmann::json::parse(render_json(report_of(load_of(19))));
  const auto& run = json["runs"].at(0);
  EXPECT_TRUE(run["p95_ttft_ms"].is_null());
  EXPECT_TRUE(run["p99_e2el_ms"].is_null());
  EXPECT_DOUBLE_EQ(run["max_e2el_ms"].get<double>(), 19);
  EXPECT_EQ(run["n_e2el"], 19);
}

TEST(RunReportJson, lists_requests_in_their_order) {
  const auto json = nlohmann::json::parse(render_json(report_of(load_of(3))));
  const auto& run = json["runs"].at(0);
  EXPECT_EQ(run["outcomes"], nlohmann::json({"complete", "complete", "complete", "failed"}));
  EXPECT_EQ(run["errors"], nlohmann::json({"", "", "", "http_503"}));
  EXPECT_DOUBLE_EQ(run["ttfts"][0].get<double>(), 0.0015);
  EXPECT_TRUE(run["ttfts"][3].is_null());
  EXPECT_EQ(run["output_lens"][1], 11);
}

TEST(RunReportCsv, writes_one_line_a_request) {
  const std::string csv = render_csv(report_of(load_of(2)));
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < csv.size();) {
    const auto end = csv.find("\r\n", from);
    lines.push_back(csv.substr(from, end - from));
    from = end + 2;
  }
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].starts_with("concurrency,index,outcome,"));
  EXPECT_EQ(lines[1],
            "6,1,complete,,200,mac-05,0.000,,0.500,0.500,1.000,1.000,0.250,100,11,usage,");
  EXPECT_EQ(
      lines[3],
      "6,2,failed,http_503,503,,0.000,,,,,1.000,,0,0,none,\"queue  [31mfull, \"\"sorry\"\"\"");
}

TEST(RunReportCsv, lets_no_spreadsheet_run_what_a_server_said) {
  LoadReport load = load_of(0);
  load.samples[0].error_message = "=cmd()";
  EXPECT_NE(render_csv(report_of(std::move(load))).find(",'=cmd()\r\n"), std::string::npos);
}

}  // namespace
}  // namespace lmb::bench
