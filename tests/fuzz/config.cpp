// Config files: a config or problems, never both, and no secret in a problem.
#include "lmb/config/config.hpp"

#include <string>

#include "input.hpp"
#include "lmb/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  constexpr const char* secret = "sk-SECRET-4711";
  fuzz::Input input(data, size);
  const std::string file = input.rest();
  const auto parsed = config::parse_config(
      file, [](const char* name) { return name[0] == 'S' ? secret : nullptr; });
  const auto text = config::describe(parsed.problems, "F");
  LMB_ASSERT(parsed.ok() == text.empty());
  // It is in the environment only: what a file calls by this name, as a fuzzer soon does, is none.
  LMB_ASSERT(file.find(secret) != std::string::npos || text.find(secret) == std::string::npos);
  for (const char c : text) LMB_ASSERT(c == '\n' || (c >= ' ' && c <= '~'));
  if (!parsed.ok()) return 0;
  LMB_ASSERT(!parsed.config.fleet.empty());
  LMB_ASSERT(parsed.config.fleet.size() == parsed.config.addresses.size());
  LMB_ASSERT(parsed.config.fleet.size() <= scheduling::fleet_size_max);
  return 0;
}
