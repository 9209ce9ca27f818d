#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lmb/telemetry/access_log.hpp"
#include "lmb/telemetry/metrics.hpp"
#include "promtool.hpp"
#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

constexpr std::string_view table_begin = "<!-- metrics: begin -->\n";
constexpr std::string_view table_end = "<!-- metrics: end -->\n";

std::string page() {
  std::ifstream file(LMB_METRICS_DOC, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << LMB_METRICS_DOC;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Metrics::Description> described() {
  return Metrics({"mac"}, {"/v1/chat/completions"}, {"1", "x"}).describe();
}

/// The table as the page must show it.
std::string table() {
  std::string out = "\n| metric | type | labels | unit | meaning |\n|---|---|---|---|---|\n";
  for (const Metrics::Description& metric : described()) {
    out += "| `" + metric.name + "` | " + metric.type + " | ";
    std::string separator;
    for (const std::string& label : metric.labels) {
      out += separator + '`' + label + '`';
      separator = ", ";
    }
    out += (metric.labels.empty() ? "| " : " | ") + metric.unit + " | " + metric.help + " |\n";
  }
  return out + '\n';
}

/// The contents of all code blocks of a language.
std::vector<std::string> blocks(const std::string& text, const std::string& language) {
  std::vector<std::string> found;
  const std::string fence = "```" + language + '\n';
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    const std::size_t end = text.find("```", at);
    found.push_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

/// The words of lower-case letters and underscores that begin like one of our metrics.
std::vector<std::string> metric_names(const std::string& text) {
  std::vector<std::string> found;
  const char* const letters = "abcdefghijklmnopqrstuvwxyz_";
  std::size_t at = text.find_first_of(letters);
  while (at != std::string::npos) {
    const std::size_t end = std::min(text.find_first_not_of(letters, at), text.size());
    const std::string word = text.substr(at, end - at);
    if (word.starts_with("lmbalancer_") || word.starts_with("process_")) found.push_back(word);
    at = text.find_first_of(letters, end);
  }
  return found;
}

TEST(MetricsDoc, lists_exactly_the_metrics_there_are) {
  std::string text = page();
  const std::size_t begin = text.find(table_begin);
  const std::size_t end = text.find(table_end);
  ASSERT_NE(begin, std::string::npos) << "docs/metrics.md has lost the mark of its table";
  ASSERT_NE(end, std::string::npos) << "docs/metrics.md has lost the mark of its table";
  const std::size_t first = begin + table_begin.size();
  if (std::getenv("LMB_REWRITE_DOCS") != nullptr) {
    text.replace(first, end - first, table());
    std::ofstream(LMB_METRICS_DOC, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text.substr(first, end - first), table())
      << "run: LMB_REWRITE_DOCS=1 telemetry_test --gtest_filter='MetricsDoc.*'";
}

TEST(MetricsDoc, queries_and_alerts_name_metrics_that_exist) {
  std::set<std::string> names;
  for (const Metrics::Description& metric : described()) {
    names.insert(metric.name);
    if (metric.type != "histogram") continue;
    for (const char* suffix : {"_bucket", "_sum", "_count"}) names.insert(metric.name + suffix);
  }
  std::size_t seen = 0;
  for (const char* language : {"promql", "yaml"}) {
    for (const std::string& block : blocks(page(), language)) {
      for (const std::string& name : metric_names(block)) {
        EXPECT_TRUE(names.contains(name)) << name << " in\n" << block;
        ++seen;
      }
    }
  }
  EXPECT_GE(seen, 20U);
}

TEST(MetricsDoc, queries_are_valid_promql) {
  const std::vector<std::string> queries = blocks(page(), "promql");
  EXPECT_GE(queries.size(), 8U);
  std::string rules = "groups:\n- name: docs\n  rules:\n";
  for (std::size_t i = 0; i < queries.size(); ++i) {
    rules += "  - record: query" + std::to_string(i) + "\n    expr: |\n";
    std::istringstream lines(queries[i]);
    for (std::string line; std::getline(lines, line);) rules += "      " + line + '\n';
  }
  const PromtoolOutcome outcome = promtool_check_rules(rules);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST(MetricsDoc, alerts_are_a_valid_rules_file) {
  const std::vector<std::string> files = blocks(page(), "yaml");
  ASSERT_EQ(files.size(), 1U);
  const PromtoolOutcome outcome = promtool_check_rules(files.front());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST(MetricsDoc, lists_exactly_the_fields_of_an_access_line) {
  std::string line;
  append_access_line(sample_record(), "mac", line);
  const auto fields = nlohmann::json::parse(line);
  std::set<std::string> written;
  for (const auto& [key, value] : fields.items()) written.insert(key);

  const std::string text = page();
  std::istringstream section(text.substr(text.find("\n## The access log")));
  const std::string row_begin = "| `";
  std::set<std::string> documented;
  for (std::string row; std::getline(section, row);) {
    if (!row.starts_with(row_begin)) continue;
    documented.insert(row.substr(row_begin.size(), row.find('`', 3) - row_begin.size()));
  }
  EXPECT_EQ(documented, written);
}

}  // namespace
}  // namespace lmb::telemetry
