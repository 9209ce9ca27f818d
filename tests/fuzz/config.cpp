// Config files: a config or problems, never both, and no secret in a problem.
#include "lmb/config/config.hpp"

#include <string>

#include "input.hpp"
#include "lmb/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const auto parsed = config::parse_config(input.rest(), [](const char* name) -> const char* {
    return name[0] == 'S' ? "sk-SECRET-4711" : nullptr;
  });
  const auto text = config::describe(parsed.problems, "F");
  LMB_ASSERT(parsed.ok() == text.empty());
  LMB_ASSERT(text.find("sk-SECRET-4711") == std::string::npos);
  for (const char c : text) LMB_ASSERT(c == '\n' || (c >= ' ' && c <= '~'));
  if (!parsed.ok()) return 0;
  LMB_ASSERT(!parsed.config.fleet.empty());
  LMB_ASSERT(parsed.config.fleet.size() == parsed.config.addresses.size());
  LMB_ASSERT(parsed.config.fleet.size() <= scheduling::fleet_size_max);
  return 0;
}
