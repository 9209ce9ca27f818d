// The load of the peers table that wrk cannot make: many open streams, and many idle connections.

#include <CLI/CLI.hpp>

#include "load_idle.hpp"
#include "load_streams.hpp"
#include "system.hpp"

int main(int argc, char** argv) {
  lmb::peers::StreamLoadOptions streams;
  lmb::peers::IdleLoadOptions idle;
  CLI::App app("Load for the peers table. Prints JSON lines; status 1 if anything was faulty.");
  app.require_subcommand(1);

  auto* const stream_command = app.add_subcommand("streams", "Open streams and check each byte");
  stream_command->add_option("--ports", streams.ports, "Ports on 127.0.0.1, used in turn")
      ->delimiter(',')
      ->required();
  stream_command->add_option("--streams", streams.streams, "Open at once")->capture_default_str();
  stream_command->add_option("--events", streams.events, "Per stream")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  stream_command->add_option("--interval-us", streams.interval_us, "Between events; 0 = bursts")
      ->capture_default_str();
  stream_command->add_option("--ramp-ms", streams.ramp_ms, "Spread of the starts")
      ->capture_default_str();
  stream_command->add_option("--window-ms", streams.window_ms, "Measured span; 0 = all")
      ->capture_default_str();
  stream_command->add_option("--repeat", streams.repeat, "Streams per connection, in turn")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  stream_command->add_option("--limit-s", streams.limit_s, "End of the run")->capture_default_str();

  auto* const idle_command = app.add_subcommand("idle", "Hold idle keep-alive connections");
  idle_command->add_option("--ports", idle.ports, "Ports on 127.0.0.1, used in turn")
      ->delimiter(',')
      ->required();
  idle_command->add_option("--connections", idle.connections)->capture_default_str();
  idle_command->add_option("--limit-s", idle.limit_s)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  lmb::peers::prepare_process();
  const bool good = stream_command->parsed() ? lmb::peers::StreamLoad(streams).run()
                                             : lmb::peers::run_idle_load(idle);
  return good ? 0 : 1;
}
