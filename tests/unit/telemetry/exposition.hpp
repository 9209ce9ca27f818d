#pragma once

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace lmb::telemetry {

/// A rendered scrape, read line by line: what a test expects is compared with the text that
/// Prometheus gets, not with our own state.
struct Exposition {
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> help;
  /// By series as it stands in the text, e.g.
  /// `lmbalancer_bytes_total{direction="in",peer="client"}`.
  std::map<std::string, double> samples;

  explicit Exposition(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string mark;
      std::string keyword;
      std::string name;
      if (line.front() == '#') {
        words >> mark >> keyword >> name;
        std::string rest;
        std::getline(words >> std::ws, rest);
        (keyword == "TYPE" ? types : help)[name] = rest;
      } else {
        const std::size_t space = line.rfind(' ');
        samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
      }
    }
  }

  /// The sample's value, or -1 when it is not there.
  [[nodiscard]] double at(const std::string& series) const {
    const auto found = samples.find(series);
    return found == samples.end() ? -1 : found->second;
  }

  /// Sum over all series of a name, whatever their labels.
  [[nodiscard]] double sum(const std::string& name) const {
    double total = 0;
    for (const auto& [series, value] : samples) {
      if (series.substr(0, series.find('{')) == name) total += value;
    }
    return total;
  }

  /// The number of series of a name.
  [[nodiscard]] std::size_t count(const std::string& name) const {
    std::size_t total = 0;
    for (const auto& [series, value] : samples) total += series.substr(0, series.find('{')) == name;
    return total;
  }
};

}  // namespace lmb::telemetry
