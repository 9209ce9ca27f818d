// Retry-After values: whatever a worker says, a wait within bounds or none.
#include "lmb/protocol/retry_after.hpp"

#include <string>

#include "input.hpp"
#include "lmb/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const std::chrono::system_clock::time_point now =
      std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::seconds(input.byte());
  const std::string value = input.rest();
  const auto wait = protocol::parse_retry_after(value, now);
  LMB_ASSERT(!wait || (wait->count() >= 0 && *wait <= protocol::retry_after_max));
  const bool digits = value.find_first_not_of("0123456789") == std::string::npos;
  LMB_ASSERT(wait.has_value() || value.empty() || !digits);
  // Never later as time passes.
  const auto later = protocol::parse_retry_after(value, now + std::chrono::minutes(1));
  LMB_ASSERT(wait.has_value() == later.has_value());
  LMB_ASSERT(!wait || *later <= *wait);
  return 0;
}
