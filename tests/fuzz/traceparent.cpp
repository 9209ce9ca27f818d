// traceparent values: what is read, written again, is read as the same.
#include "lmb/protocol/traceparent.hpp"

#include <string>

#include "input.hpp"
#include "lmb/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  const std::string value = fuzz::Input(data, size).rest();
  const auto parent = protocol::parse_traceparent(value);
  if (!parent) return 0;
  const auto again = protocol::format_traceparent(*parent);
  LMB_ASSERT(protocol::parse_traceparent(again) == parent);
  // The ids stand in both as they came; version and flags may have been others.
  LMB_ASSERT(again.size() == 55 && value.size() >= again.size());
  LMB_ASSERT(value.compare(2, 51, again, 2, 51) == 0);
  return 0;
}
