#include "lmb/bench/command.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>
#include <utility>

#include "discovery.hpp"
#include "lmb/bench/load.hpp"
#include "lmb/bench/run_report.hpp"
#include "progress_text.hpp"

namespace lmb::bench {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

/// What is wrong with the options, or nothing.
std::string problem_of(const CommandOptions& options) {
  const auto& levels = options.concurrency;
  if (levels.empty()) return "--concurrency needs at least one number";
  constexpr std::size_t concurrency_max = 10'000;
  if (std::any_of(levels.begin(), levels.end(),
                  [](std::size_t n) { return n == 0 || n > concurrency_max; })) {
    return "--concurrency takes numbers from 1 to 10000";
  }
  if (options.requests == 0) return "--requests must be at least 1";
  if (options.max_tokens == 0) return "--max-tokens must be at least 1";
  if (options.timeout <= Duration::zero()) return "--timeout must be longer than 0";
  const auto unfit = [](char c) { return c < ' ' || c == 0x7F; };
  if (std::any_of(options.api_key.begin(), options.api_key.end(), unfit)) {
    return "--api-key holds a control character";
  }
  return {};
}

LoadPlan plan_of(const CommandOptions& options, Target target, std::string model) {
  LoadPlan plan;
  plan.target = std::move(target);
  plan.model = std::move(model);
  plan.api_key = options.api_key;
  plan.requests = options.requests;
  plan.warmup = options.warmup;
  plan.stream = options.stream;
  plan.prompt_tokens = options.prompt_tokens;
  plan.max_tokens = options.max_tokens;
  plan.timeout = options.timeout;
  plan.seed = options.seed;
  std::random_device device;
  plan.nonce = std::uint64_t{device()} << 32U | device();
  plan.catch_signals = true;
  return plan;
}

void run_levels(const CommandOptions& options, RunReport& report, Terminal terminal) {
  for (const std::size_t level : options.concurrency) {
    report.plan.concurrency = level;
    ++report.plan.nonce;  // The same concurrency twice must not meet its own prompts in a cache.
    ProgressText progress("concurrency " + std::to_string(level), terminal.bar);
    report.plan.on_progress = [&](const Progress& now) {
      terminal.err << progress.update(now) << std::flush;
    };
    report.loads.push_back(run_load(report.plan));
    report.plan.on_progress = nullptr;
    report.summaries.push_back(summarize(report.loads.back()));
    if (terminal.bar) terminal.err << "\r\x1b[K" << std::flush;
    if (report.loads.back().interrupted) break;
  }
}

bool write_file(const std::string& path, const std::string& text, std::ostream& err) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  err << "lmbalancer bench: cannot write " << path << "\n";
  return false;
}

}  // namespace

bool succeeded(const RunReport& report) noexcept {
  return !report.summaries.empty() &&
         std::all_of(report.summaries.begin(), report.summaries.end(), [](const RunSummary& run) {
           return !run.interrupted && run.failed == 0 && run.complete > 0 &&
                  run.check.limit.empty();
         });
}

int run_command(const CommandOptions& options, Terminal terminal) {
  const auto refuse = [&](int code, const std::string& why) {
    terminal.err << "lmbalancer bench: " << why << "\n";
    return code;
  };
  if (const std::string problem = problem_of(options); !problem.empty()) {
    return refuse(exit_usage, problem);
  }
  const auto target = parse_target(options.url);
  if (!target) return refuse(exit_usage, "--url " + options.url + ": " + target.error().detail());
  const auto found = discover(*target, options.api_key, options.model);
  if (!found) return refuse(exit_failed, found.error().detail());
  if (!found->note.empty()) terminal.err << "lmbalancer bench: " << found->note << "\n";

  RunReport report;
  report.date = wall_now();
  report.plan = plan_of(options, *target, found->model);
  run_levels(options, report, terminal);
  terminal.out << render_text(report) << std::flush;
  int code = succeeded(report) ? exit_ok : exit_failed;
  if (!options.json_file.empty() &&
      !write_file(options.json_file, render_json(report), terminal.err)) {
    code = exit_failed;
  }
  if (!options.csv_file.empty() &&
      !write_file(options.csv_file, render_csv(report), terminal.err)) {
    code = exit_failed;
  }
  return code;
}

int run_command(const CommandOptions& options) {
  Terminal terminal = {std::cout, std::cerr, isatty(STDERR_FILENO) == 1};
  return run_command(options, terminal);
}

}  // namespace lmb::bench
