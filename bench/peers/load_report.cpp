#include "load_report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace lmb::peers {

std::string Samples::to_json() {
  std::sort(spans_.begin(), spans_.end());
  const auto at = [this](double share) {
    if (spans_.empty()) return 0.0;
    const auto place = std::floor(share * static_cast<double>(spans_.size() - 1));
    return static_cast<double>(spans_[static_cast<std::size_t>(place)]) / 1000.0;
  };
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                R"({"count":%zu,"p50":%.1f,"p90":%.1f,"p99":%.1f,"max":%.1f})", spans_.size(),
                at(0.5), at(0.9), at(0.99), at(1.0));
  return text.data();
}

std::string FaultCounts::to_json() const {
  std::string text = "{";
  for (std::size_t i = 1; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    if (text.size() > 1) text += ',';
    text.append("\"").append(to_string(static_cast<Fault>(i))).append("\":");
    text += std::to_string(counts_[i]);
  }
  return text + '}';
}

void print_line(const std::string& json) {
  std::puts(json.c_str());
  std::fflush(stdout);
}

}  // namespace lmb::peers
