// The stub worker of the peers table: several LM Studio look-alikes that answer at once.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "stub_server.hpp"
#include "system.hpp"

int main(int argc, char** argv) {
  CLI::App app(
      "Fast stub workers: plain answers at once, streams on request (X-Stream: "
      "events,interval_us). Prints one JSON line with the ports, then serves.");
  std::vector<std::uint16_t> ports{0, 0, 0};
  unsigned parallel = 2000;
  app.add_option("--ports", ports, "One port per worker, 0 = chosen by the kernel")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--parallel", parallel, "Slots that each worker states")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  lmb::peers::prepare_process();
  lmb::peers::StubServer server(ports, parallel);
  std::fputs("{\"ports\":[", stdout);
  const char* separator = "";
  for (const auto port : server.ports()) {
    std::printf("%s%u", separator, static_cast<unsigned>(port));
    separator = ",";
  }
  std::puts("]}");
  std::fflush(stdout);
  server.run();
}
