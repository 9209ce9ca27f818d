#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>

#include "lmb/bench/command.hpp"

namespace lmb::bench {
namespace {

/// The options as the command line gives them.
struct CommandLine {
  CommandOptions options;
  bool no_stream = false;
  double timeout_seconds = 600;
};

void add_load_options(CLI::App& command, CommandLine& line) {
  CommandOptions& options = line.options;
  command
      .add_option("--concurrency", options.concurrency, "Clients at once; one run for each number")
      ->delimiter(',')
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("--requests", options.requests, "Requests of each run")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--warmup", options.warmup, "Requests before each run, not measured")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--prompt-tokens", options.prompt_tokens,
                  "Length of the prompts, in tokens, about")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--max-tokens", options.max_tokens, "Longest answer asked for, in tokens")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_flag("--no-stream", line.no_stream, "Ask for whole answers (else: streams)");
  command.add_option("--seed", options.seed, "The same whole number sends the same load")
      ->capture_default_str();
}

}  // namespace

void add_bench_command(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand(
      "bench", "Load an OpenAI-style server: throughput, TTFT, TPOT, share of each worker");
  auto line = std::make_shared<CommandLine>();
  CommandOptions& options = line->options;
  command->add_option("--url", options.url, "The server, with or without /v1")
      ->capture_default_str();
  command->add_option("--model", options.model, "Model to ask for (default: the first loaded one)");
  add_load_options(*command, *line);
  command
      ->add_option("--timeout", line->timeout_seconds,
                   "Longest time for one request, in ms, s, m or h, e.g. 90s or 10m")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}}))
      ->default_str("600s");
  command->add_option("--api-key", options.api_key, "Sent as Authorization: Bearer (default: none)")
      ->envname("LMBALANCER_API_KEY");
  command->add_option("--json", options.json_file,
                      "File for the results as JSON, in vLLM's key names (default: none)");
  command->add_option("--csv", options.csv_file,
                      "File for one line for each request (default: none)");
  command->footer(
      "Examples:\n"
      "  lmbalancer bench --url http://127.0.0.1:8080 --concurrency 6,12 --requests 40\n"
      "  lmbalancer bench --url http://mac-studio-05.local:1234 --concurrency 1 --json one.json\n"
      "Exit code: 0 all requests were answered and the run is valid, 1 if not, 2 wrong usage.");
  command->callback([line, &exit_code] {
    line->options.stream = !line->no_stream;
    line->options.timeout =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(line->timeout_seconds));
    exit_code = run_command(line->options);
  });
}

}  // namespace lmb::bench
