#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "admin_commands.hpp"
#include "build_info.hpp"
#include "demo.hpp"
#include "doctor.hpp"
#include "lmb/base/refused_memory.hpp"
#include "lmb/bench/command.hpp"
#include "lmb/sim/command.hpp"
#include "misuse.hpp"
#include "serve.hpp"
#include "signals.hpp"

namespace {

const CLI::Range any_port(0, 65535);
const CLI::Range worker_count(1, 64);
const CLI::Range speeds(0.01, 10000.0);

void add_config_option(CLI::App& command, std::string& file) {
  command.add_option("-c,--config", file, "Config file (JSON with comments); no default")
      ->required();
}

void add_serve(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("serve", "Run the balancer until SIGTERM or SIGINT");
  auto file = std::make_shared<std::string>();
  add_config_option(*command, *file);
  command->footer("Examples:\n  lmbalancer serve -c /etc/lmbalancer/lmbalancer.json");
  command->callback([file, &code] { code = lmb::app::serve(*file); });
}

void add_check(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("check", "Check a config file: all errors at once");
  auto file = std::make_shared<std::string>();
  add_config_option(*command, *file);
  command->footer(
      "Examples:\n  lmbalancer check -c lmbalancer.json\n"
      "Exit code: 0 the file is good, 1 it is not (stderr says why), 2 wrong usage.");
  command->callback([file, &code] { code = lmb::app::check(*file); });
}

void add_doctor(CLI::App& program, int& code) {
  auto* command =
      program.add_subcommand("doctor", "Look at each worker: what is wrong, what mends it");
  auto file = std::make_shared<std::string>();
  add_config_option(*command, *file);
  command->footer(
      "Examples:\n  lmbalancer doctor -c lmbalancer.json\n"
      "Exit code: 0 every worker can be used, 1 one cannot or the file is bad, 2 wrong usage.");
  command->callback([file, &code] { code = lmb::app::doctor(*file); });
}

void add_demo(CLI::App& program, int& code) {
  auto* command =
      program.add_subcommand("demo", "A simulated fleet and the balancer in one process");
  auto options = std::make_shared<lmb::app::DemoOptions>();
  auto no_sample = std::make_shared<bool>(false);
  command->add_option("--port", options->port, "Port of the balancer; 0 = any free one")
      ->check(any_port)
      ->capture_default_str();
  command->add_option("--workers", options->workers, "How many simulated Mac Studios")
      ->check(worker_count)
      ->capture_default_str();
  command->add_option("--speed", options->speed, "Simulated seconds per real second")
      ->check(speeds)
      ->capture_default_str();
  command->add_flag("--once", options->once, "End after the sample request (else: serve on)");
  command->add_flag("--no-sample", *no_sample, "Send no sample request (else: one is sent)");
  command->footer(
      "Examples:\n  lmbalancer demo\n  lmbalancer demo --port 9000 --once\n"
      "  lmbalancer demo --workers 8 --speed 10 --no-sample");
  command->callback([options, no_sample, &code] {
    options->sample = !*no_sample;
    code = lmb::app::demo(*options);
  });
}

using SimOptions = std::shared_ptr<lmb::sim::CommandOptions>;

void add_sim_models(CLI::App& command, const SimOptions& options) {
  command.add_option("--preset", options->preset, "Machine and model; see docs/simulator.md")
      ->capture_default_str();
  command.add_option("--on-disk", options->on_disk, "Preset of one more model, not loaded");
  command.add_flag("--cold", options->cold, "Do not load the preset's model at the start");
  command.add_option("--parallel", options->parallel, "Slots of each worker; 0 = the preset's")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_flag("--no-jit", options->no_jit, "Load no model on demand");
  command.add_option("--ttl", options->ttl_seconds, "Idle seconds until a model is unloaded")
      ->capture_default_str();
  command.add_flag("--no-auto-evict", options->no_auto_evict,
                   "Keep more than one model loaded on demand");
  command.add_flag("--no-duplicates", options->no_duplicate_loads,
                   "Let simultaneous cold requests wait for one load");
  command.add_option("--load-time", options->load_seconds,
                     "Seconds that a load takes; by the model's size if not given");
  command.add_option("--memory", options->memory_gb, "Memory for models in GB; 0 = without end")
      ->capture_default_str();
}

void add_sim_behaviour(CLI::App& command, const SimOptions& options) {
  command.add_option("--speed", options->speed, "Simulated seconds per real second")
      ->check(speeds)
      ->capture_default_str();
  command.add_option("--lms-version", options->version, "LM Studio's version: routes and forms")
      ->capture_default_str();
  command.add_option("--seed", options->seed, "Seed of texts and jitter, a whole number")
      ->capture_default_str();
  command
      .add_option("--answer-tokens", options->answer_tokens, "Average length of answers, in tokens")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--reasoning-tokens", options->reasoning_tokens, "Reasoning before each answer")
      ->capture_default_str();
  command.add_option("--api-token", options->api_token,
                     "Token that requests must carry (default: none)");
  command.add_flag("--serialise", options->serialise, "Run one request, whatever the lists tell");
  command.add_flag("--zombie", options->zombie, "Go on generating when the client has left");
  command.add_option("--slowest", options->slowest, "How many times slower when hot")
      ->capture_default_str();
  command.add_option("--heat-minutes", options->heat_minutes, "Minutes of work until hot")
      ->capture_default_str();
}

void add_sim(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("sim", "Simulated LM Studio workers alone");
  auto options = std::make_shared<lmb::sim::CommandOptions>();
  command->add_option("--workers", options->workers, "How many workers")
      ->check(worker_count)
      ->capture_default_str();
  command->add_option("--host", options->host, "Address to listen on")->capture_default_str();
  command->add_option("--port", options->port, "First port, the others follow; 0 = any free ones")
      ->check(any_port)
      ->capture_default_str();
  add_sim_models(*command, options);
  add_sim_behaviour(*command, options);
  command->footer(
      "Times are the simulated machine's.\nExamples:\n"
      "  lmbalancer sim --workers 3 --port 1234 --preset m3-ultra-30b-a3b --on-disk m3-ultra-70b\n"
      "  lmbalancer sim --workers 1 --api-token sk-test --speed 20");
  command->callback([options, &code] {
    lmb::app::ignore_harmless_signals();
    code = lmb::sim::run_command(*options, std::cout, std::cerr);
  });
}

constexpr const char* examples =
    "Examples:\n"
    "  lmbalancer demo                                    try it: three simulated Mac Studios\n"
    "  lmbalancer check -c /etc/lmbalancer/lmbalancer.json\n"
    "  lmbalancer serve -c /etc/lmbalancer/lmbalancer.json\n"
    "  lmbalancer bench --url http://127.0.0.1:8080 --concurrency 6,12\n"
    "  lmbalancer status                                  what the fleet does now\n"
    "  lmbalancer drain studio-05                         take a worker out of service\n"
    "  lmbalancer serve --help                            options of one command\n"
    "Exit codes: 0 ok, 1 failed, 2 wrong usage.";

}  // namespace

/// What a parent closed would be given to the first socket, and the log be written into it.
void open_standard_descriptors() {
  for (int descriptor = ::open("/dev/null", O_RDWR); descriptor >= 0;
       descriptor = ::open("/dev/null", O_RDWR)) {
    if (descriptor <= STDERR_FILENO) continue;
    ::close(descriptor);
    break;
  }
}

int main(int argc, char** argv) {
  open_standard_descriptors();
  lmb::watch_refused_memory();
  CLI::App program("Load-balancing reverse proxy for LLM workers (LM Studio)", "lmbalancer");
  const auto build = lmb::app::build_info();
  program.set_version_flag("--version",
                           "lmbalancer " + build.version + " (" + build.git_hash + ")");
  program.require_subcommand(1);
  program.footer(examples);
  int code = lmb::app::exit_ok;
  add_serve(program, code);
  add_check(program, code);
  add_doctor(program, code);
  add_demo(program, code);
  add_sim(program, code);
  lmb::bench::add_bench_command(program, code);
  lmb::app::add_admin_commands(program, code);
  if (argc < 2) {
    std::cerr << program.help();
    return lmb::app::exit_usage;
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked_for_help) {
    return program.exit(asked_for_help);
  } catch (const CLI::ParseError& error) {
    std::cerr << lmb::app::describe_misuse(program, error) << "\n";
    return lmb::app::exit_usage;
  }
  return code;
}
