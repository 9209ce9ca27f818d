#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "build_info.hpp"
#include "demo.hpp"
#include "lmb/bench/command.hpp"
#include "lmb/sim/command.hpp"
#include "serve.hpp"

namespace {

void add_serve(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("serve", "Run the balancer");
  auto file = std::make_shared<std::string>();
  command->add_option("-c,--config", *file, "Config file (JSON with comments)")->required();
  command->footer("Example: lmbalancer serve -c /etc/lmbalancer/lmbalancer.json");
  command->callback([file, &code] { code = lmb::app::serve(*file); });
}

void add_check(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("check", "Check a config file: all errors at once");
  auto file = std::make_shared<std::string>();
  command->add_option("-c,--config", *file, "Config file (JSON with comments)")->required();
  command->footer("Example: lmbalancer check -c lmbalancer.json");
  command->callback([file, &code] { code = lmb::app::check(*file); });
}

void add_demo(CLI::App& program, int& code) {
  auto* command =
      program.add_subcommand("demo", "A simulated fleet and the balancer in one process");
  auto options = std::make_shared<lmb::app::DemoOptions>();
  auto no_sample = std::make_shared<bool>(false);
  command->add_option("--port", options->port, "Port of the balancer; 0 = any free one")
      ->capture_default_str();
  command->add_option("--workers", options->workers, "Simulated Mac Studios")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--speed", options->speed, "Simulated seconds per real second")
      ->check(CLI::Range(0.01, 10000.0))
      ->capture_default_str();
  command->add_flag("--once", options->once, "End after the sample request");
  command->add_flag("--no-sample", *no_sample, "Send no sample request");
  command->footer("Example: lmbalancer demo --port 9000 --once");
  command->callback([options, no_sample, &code] {
    options->sample = !*no_sample;
    code = lmb::app::demo(*options);
  });
}

void add_sim(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("sim", "Simulated LM Studio workers alone");
  auto options = std::make_shared<lmb::sim::CommandOptions>();
  command->add_option("--workers", options->workers, "How many")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--host", options->host, "Address to listen on")->capture_default_str();
  command->add_option("--port", options->port, "First port; 0 = any free ones")
      ->capture_default_str();
  command->add_option("--preset", options->preset, "Machine and model; see docs/simulator.md")
      ->capture_default_str();
  command->add_option("--parallel", options->parallel, "Slots per worker; 0 = the preset's")
      ->capture_default_str();
  command->add_option("--speed", options->speed, "Simulated seconds per real second")
      ->check(CLI::Range(0.01, 10000.0))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Seed of texts and jitter")->capture_default_str();
  command->add_option("--answer-tokens", options->answer_tokens, "Average length of an answer")
      ->capture_default_str();
  command->add_option("--api-token", options->api_token, "Token that requests must carry");
  command->footer("Example: lmbalancer sim --workers 3 --port 1234 --preset m3-ultra-30b-a3b");
  command->callback(
      [options, &code] { code = lmb::sim::run_command(*options, std::cout, std::cerr); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("Load-balancing reverse proxy for LLM workers (LM Studio)", "lmbalancer");
  const auto build = lmb::app::build_info();
  program.set_version_flag("--version",
                           "lmbalancer " + build.version + " (" + build.git_hash + ")");
  program.require_subcommand(1);
  int code = lmb::app::exit_ok;
  add_serve(program, code);
  add_check(program, code);
  add_demo(program, code);
  add_sim(program, code);
  lmb::bench::add_bench_command(program, code);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? lmb::app::exit_ok : lmb::app::exit_usage;
  }
  return code;
}
