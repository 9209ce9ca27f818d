#include "admin_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "status.hpp"

namespace lmb::app {
namespace {

void add_target_options(CLI::App& command, AdminTarget& target) {
  command.add_option(
      "--admin", target.url,
      "Its admin listener (default: that of the config, else http://127.0.0.1:8081)");
  command.add_option("-c,--config", target.config_file,
                     "Its config file: says where the admin listener is, and its key");
  command.add_option("--key-env", target.key_env,
                     "Environment variable that holds the admin key (default: the config's key)");
}

void add_status(CLI::App& program, int& code) {
  auto* command = program.add_subcommand("status", "What a running balancer and its fleet do now");
  auto target = std::make_shared<AdminTarget>();
  auto json = std::make_shared<bool>(false);
  add_target_options(*command, *target);
  command->add_flag("--json", *json, "One JSON object instead of a table");
  command->footer(
      "Examples:\n  lmbalancer status\n  lmbalancer status --json -c "
      "/etc/lmbalancer/lmbalancer.json\n"
      "Exit code: 0 shown, 1 no answer, 2 wrong usage.");
  command->callback([target, json, &code] { code = status(*target, *json); });
}

void add_draining(CLI::App& program, int& code, bool draining) {
  const std::string name = draining ? "drain" : "undrain";
  auto* command =
      program.add_subcommand(name, draining ? "Give a worker nothing new; what it runs may finish"
                                            : "Give a drained worker requests again");
  auto target = std::make_shared<AdminTarget>();
  auto worker = std::make_shared<std::string>();
  command->add_option("NAME", *worker, "The worker's name, as `lmbalancer status` shows it")
      ->required();
  add_target_options(*command, *target);
  command->footer("Examples:\n  lmbalancer " + name + " studio-05\n  lmbalancer " + name +
                  " mac-studio-05.local:1234 --admin http://127.0.0.1:8081\n"
                  "Exit code: 0 done, 1 no such worker or no answer, 2 wrong usage.");
  command->callback(
      [target, worker, draining, &code] { code = set_draining(*target, *worker, draining); });
}

void add_reload(CLI::App& program, int& code) {
  auto* command = program.add_subcommand(
      "reload", "Read the config file again: workers come, go and change without a restart");
  auto target = std::make_shared<AdminTarget>();
  add_target_options(*command, *target);
  command->footer(
      "Examples:\n  lmbalancer reload\n  lmbalancer reload -c /etc/lmbalancer/lmbalancer.json\n"
      "Exit code: 0 done, 1 the file is bad (nothing was changed) or no answer, 2 wrong usage.");
  command->callback([target, &code] { code = reload(*target); });
}

}  // namespace

void add_admin_commands(CLI::App& program, int& exit_code) {
  add_status(program, exit_code);
  add_draining(program, exit_code, true);
  add_draining(program, exit_code, false);
  add_reload(program, exit_code);
}

}  // namespace lmb::app
