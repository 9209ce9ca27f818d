#include "text_format.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace lmb::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric gauge(std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

TEST(FormatNumber, writes_counts_and_bounds_without_an_exponent) {
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(1), "1");
  EXPECT_EQ(format_number(1000000), "1000000");
  EXPECT_EQ(format_number(123456789012345), "123456789012345");
  EXPECT_EQ(format_number(0.0001), "0.0001");
  EXPECT_EQ(format_number(0.00025), "0.00025");
  EXPECT_EQ(format_number(2.5), "2.5");
  EXPECT_EQ(format_number(-3), "-3");
  EXPECT_EQ(format_number(0.1), "0.1");
}

TEST(FormatNumber, names_what_is_not_finite_as_go_does) {
  EXPECT_EQ(format_number(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(format_number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(format_number(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(FormatNumber, reads_back_as_the_same_double) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::strtod(format_number(value).c_str(), nullptr), value);
  }
  for (const double value :
       {1e15, 1e300, 5e-324, 9.999e-7, 1e-6, 0.1 + 0.2, std::numeric_limits<double>::max()}) {
    EXPECT_EQ(std::strtod(format_number(value).c_str(), nullptr), value);
  }
}

TEST(TextFormat, sorts_families_and_series) {
  std::vector<MetricFamily> families;
  families.push_back({"zebra", "Last.", MetricType::Gauge, {gauge({}, 7)}});
  families.push_back({"ant",
                      "First.",
                      MetricType::Gauge,
                      {gauge({{"a", "2"}}, 2), gauge({{"a", "10"}}, 10), gauge({{"a", "1"}}, 1)}});
  EXPECT_EQ(to_text_format(families),
            "# HELP ant First.\n"
            "# TYPE ant gauge\n"
            "ant{a=\"1\"} 1\n"
            "ant{a=\"10\"} 10\n"
            "ant{a=\"2\"} 2\n"
            "# HELP zebra Last.\n"
            "# TYPE zebra gauge\n"
            "zebra 7\n");
}

TEST(TextFormat, escapes_help_and_label_values_by_their_own_rules) {
  std::vector<MetricFamily> families;
  families.push_back({"odd",
                      "A \"quoted\" back\\slash\nand a line.",
                      MetricType::Gauge,
                      {gauge({{"name", "a \"b\" c\\d\ne\xFF\xC3\xA9"}}, 1)}});
  EXPECT_EQ(to_text_format(families),
            "# HELP odd A \"quoted\" back\\\\slash\\nand a line.\n"
            "# TYPE odd gauge\n"
            "odd{name=\"a \\\"b\\\" c\\\\d\\ne\xEF\xBF\xBD\xC3\xA9\"} 1\n");
}

TEST(TextFormat, writes_a_histogram_bucket_by_bucket_then_sum_and_count) {
  ClientMetric metric;
  metric.label = {{"phase", "queue"}};
  metric.histogram.bucket = {{1, 0.0005}, {3, 10}, {4, std::numeric_limits<double>::infinity()}};
  metric.histogram.sample_count = 4;
  metric.histogram.sample_sum = 31.25;
  std::vector<MetricFamily> families;
  families.push_back({"wait_seconds", "Wait.", MetricType::Histogram, {metric}});
  EXPECT_EQ(to_text_format(families),
            "# HELP wait_seconds Wait.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{phase=\"queue\",le=\"0.0005\"} 1\n"
            "wait_seconds_bucket{phase=\"queue\",le=\"10\"} 3\n"
            "wait_seconds_bucket{phase=\"queue\",le=\"+Inf\"} 4\n"
            "wait_seconds_sum{phase=\"queue\"} 31.25\n"
            "wait_seconds_count{phase=\"queue\"} 4\n");
}

TEST(TextFormat, writes_counters_with_several_labels) {
  ClientMetric metric;
  metric.label = {{"code", "200"}, {"worker", "mac"}};
  metric.counter.value = 4503599627370497;
  std::vector<MetricFamily> families;
  families.push_back({"requests_total", "Requests.", MetricType::Counter, {metric}});
  EXPECT_EQ(to_text_format(families),
            "# HELP requests_total Requests.\n"
            "# TYPE requests_total counter\n"
            "requests_total{code=\"200\",worker=\"mac\"} 4503599627370497\n");
}

}  // namespace
}  // namespace lmb::telemetry
