// A worker's head: whatever is taken, what passes to the client cannot split its answer.
#include <string>
#include <string_view>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/forward_head.hpp"
#include "lmb/protocol/head.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  using protocol::BodyFraming;
  fuzz::Input input(data, size);
  const bool to_head = input.below(2) == 1;
  const std::string text = input.rest();
  protocol::HeadLimits limits;
  limits.head_bytes = 4096;
  const auto end = protocol::find_head_end(text, 0, limits);
  if (!end || *end == 0) return 0;
  static protocol::ResponseHead head;
  const auto whole = std::string_view(text).substr(0, *end);
  if (!protocol::parse_response_head(whole, limits, to_head, head)) return 0;
  LMB_ASSERT(head.status >= 100 && head.status <= 999);
  const bool bodiless = to_head || head.status < 200 || head.status == 204 || head.status == 304;
  LMB_ASSERT(!bodiless || head.framing == BodyFraming::none);
  std::string passed = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n";
  protocol::append_response_fields(head, passed);
  passed += "\r\n";
  limits.head_bytes = passed.size();
  limits.header_count = protocol::header_count_max;
  const auto passed_end = protocol::find_head_end(passed, 0, limits);
  LMB_ASSERT(passed_end.has_value() && *passed_end == passed.size());
  static protocol::ResponseHead again;
  LMB_ASSERT(protocol::parse_response_head(passed, limits, false, again).has_value());
  LMB_ASSERT(again.framing == BodyFraming::counted && again.content_length == 7);
  return 0;
}
