#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "lmb/base/clock.hpp"

namespace CLI {
class App;
}

namespace lmb::bench {

/// What `lmbalancer bench` was asked for; see LoadPlan for the meanings.
struct CommandOptions {
  std::string url = "http://127.0.0.1:8080";
  std::vector<std::size_t> concurrency = {1};  ///< One run each, in this order.
  std::size_t requests = 40;                   ///< Of each run.
  std::string model;  ///< Empty = the first loaded one that generates text.
  std::uint32_t prompt_tokens = 128;
  std::uint32_t max_tokens = 128;
  bool stream = true;
  Duration timeout = std::chrono::seconds(600);
  std::size_t warmup = 2;  ///< Before each run.
  std::uint64_t seed = 1;
  std::string api_key;
  std::string json_file;  ///< Empty = none.
  std::string csv_file;   ///< Empty = none.
};

/// Runs the load, prints tables on stdout and progress on stderr (a bar on a terminal, else plain
/// lines). Returns the exit code: 0 as succeeded(), 1 a request failed, nothing ran, a run was
/// interrupted or is invalid, or a file could not be written, 2 bad options. SIGINT and SIGTERM end
/// the run early, with a report.
int run_command(const CommandOptions& options);

/// Where a command writes to.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool bar = false;  ///< `err` is a terminal: progress as a bar that is drawn over itself.
};
int run_command(const CommandOptions& options, Terminal terminal);

/// Adds the subcommand `bench`; its callback stores run_command's result in `exit_code`, which must
/// outlive the parsing.
void add_bench_command(CLI::App& program, int& exit_code);

}  // namespace lmb::bench
