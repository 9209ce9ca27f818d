#pragma once

#include <string>
#include <string_view>

namespace lmb::telemetry {

struct PromtoolOutcome {
  int exit_code = -1;  ///< 0 clean, 1 does not parse, 3 lint; 127 promtool is not installed.
  std::string output;  ///< Both streams. Names the package to install when promtool is missing.
};

/// Runs `promtool check metrics` on a scrape.
PromtoolOutcome promtool_check_metrics(std::string_view scrape);
/// Runs `promtool check rules` on a rules file's text.
PromtoolOutcome promtool_check_rules(std::string_view rules);

}  // namespace lmb::telemetry
