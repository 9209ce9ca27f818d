// Compressed request bodies: bounded whatever they claim.
#include <string>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/content_coding.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const auto coding =
      input.below(2) == 0 ? protocol::ContentCoding::gzip : protocol::ContentCoding::deflate;
  const std::size_t size_max = input.byte() * 64U;
  std::size_t asked = 0;
  std::string out;
  const auto inflated = protocol::inflate_body(input.rest(), coding, size_max, out,
                                               [&](std::size_t bytes) -> Result<void> {
                                                 asked += bytes;
                                                 return {};
                                               });
  LMB_ASSERT(!inflated || out.size() <= size_max);
  LMB_ASSERT(out.size() <= asked);
  return 0;
}
