#include "text_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "lmb/base/assert.hpp"
#include "lmb/base/utf8.hpp"

namespace lmb::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view type_name(MetricType type) noexcept {
  // Not a switch: later releases of prometheus-cpp add an enumerator that 1.0 lacks.
  if (type == MetricType::Counter) return "counter";
  if (type == MetricType::Gauge) return "gauge";
  if (type == MetricType::Histogram) return "histogram";
  return "untyped";
}

void append_help(std::string& out, std::string_view help) {
  for (const char character : help) {
    if (character == '\\') {
      out += "\\\\";
    } else if (character == '\n') {
      out += "\\n";
    } else {
      out += character;
    }
  }
}

/// One invalid byte in a label value makes Prometheus refuse the whole scrape.
void append_label_value(std::string& out, std::string_view value) {
  while (!value.empty()) {
    const Utf8Unit unit = first_unit(value);
    const std::string_view character = value.substr(0, unit.length);
    if (unit.kind == Utf8Kind::invalid) {
      out += replacement_character;
    } else if (character == "\n") {
      out += "\\n";
    } else {
      if (character == "\"" || character == "\\") out += '\\';
      out += character;
    }
    value.remove_prefix(unit.length);
  }
}

/// The labels of one series as they stand between the braces.
std::string joined_labels(const std::vector<ClientMetric::Label>& labels) {
  std::string out;
  for (const ClientMetric::Label& label : labels) {
    if (!out.empty()) out += ',';
    out += label.name;
    out += "=\"";
    append_label_value(out, label.value);
    out += '"';
  }
  return out;
}

/// Writes the samples of one family.
class SampleWriter {
 public:
  SampleWriter(std::string& out, const MetricFamily& family) : out_(out), family_(family) {}

  void write(const ClientMetric& metric) {
    const std::string labels = joined_labels(metric.label);
    if (family_.type == MetricType::Counter) {
      sample("", labels, metric.counter.value);
    } else if (family_.type == MetricType::Gauge) {
      sample("", labels, metric.gauge.value);
    } else {
      LMB_ASSERT(family_.type == MetricType::Histogram);
      histogram(labels, metric.histogram);
    }
  }

 private:
  void histogram(const std::string& labels, const ClientMetric::Histogram& histogram) {
    const std::string prefix = labels.empty() ? std::string() : labels + ',';
    for (const ClientMetric::Bucket& bucket : histogram.bucket) {
      sample("_bucket", prefix + "le=\"" + format_number(bucket.upper_bound) + '"',
             static_cast<double>(bucket.cumulative_count));
    }
    sample("_sum", labels, histogram.sample_sum);
    sample("_count", labels, static_cast<double>(histogram.sample_count));
  }

  void sample(std::string_view suffix, std::string_view labels, double value) {
    out_ += family_.name;
    out_ += suffix;
    if (!labels.empty()) {
      out_ += '{';
      out_ += labels;
      out_ += '}';
    }
    out_ += ' ';
    out_ += format_number(value);
    out_ += '\n';
  }

  std::string& out_;
  const MetricFamily& family_;
};

void append_family(std::string& out, MetricFamily& family) {
  out += "# HELP ";
  out += family.name;
  out += ' ';
  append_help(out, family.help);
  out += "\n# TYPE ";
  out += family.name;
  out += ' ';
  out += type_name(family.type);
  out += '\n';
  std::sort(
      family.metric.begin(), family.metric.end(),
      [](const ClientMetric& a, const ClientMetric& b) noexcept { return a.label < b.label; });
  SampleWriter writer(out, family);
  for (const ClientMetric& metric : family.metric) writer.write(metric);
}

}  // namespace

std::string format_number(double value) {
  constexpr double end_of_exact_integers = 9007199254740992.0;  // 2^53
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double size = std::abs(value);
  const bool plain = size == 0.0 || (size >= 1e-6 && size < end_of_exact_integers);
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  LMB_ASSERT(end.ec == std::errc());
  return {digits.data(), end.ptr};
}

std::string to_text_format(std::vector<MetricFamily> families) {
  std::sort(families.begin(), families.end(),
            [](const MetricFamily& a, const MetricFamily& b) noexcept { return a.name < b.name; });
  std::string out;
  for (MetricFamily& family : families) append_family(out, family);
  return out;
}

}  // namespace lmb::telemetry
