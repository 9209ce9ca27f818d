// A client's head: whatever is taken, the head that goes to the worker has one meaning only.
#include <string>
#include <string_view>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/forward_head.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/protocol/route.hpp"

namespace lmb::fuzz {
namespace {

using protocol::BodyFraming;

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// The same end is found however the bytes come.
std::size_t end_of(const std::string& text, const protocol::HeadLimits& limits, Cuts cuts) {
  const auto at_once = protocol::find_head_end(text, 0, limits);
  std::size_t seen = 0;
  std::size_t scanned = 0;
  while (seen < text.size()) {
    seen += cuts.next(text.size() - seen);
    const auto step =
        protocol::find_head_end(std::string_view(text).substr(0, seen), scanned, limits);
    scanned = seen;
    if (!step) {
      LMB_ASSERT(!at_once.has_value());
      return 0;
    }
    if (*step > 0) {
      LMB_ASSERT(at_once.has_value() && *at_once == *step);
      return *step;
    }
  }
  LMB_ASSERT(!at_once.has_value() || *at_once == 0);
  return 0;
}

void check_forwarded(const protocol::RequestHead& head) {
  std::string forwarded =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: worker\r\n"
      "Content-Length: 7\r\n";
  protocol::append_request_fields(head, forwarded);
  forwarded += "\r\n";
  protocol::HeadLimits wide;
  wide.head_bytes = forwarded.size();
  wide.header_count = protocol::header_count_max;
  const auto end = protocol::find_head_end(forwarded, 0, wide);
  LMB_ASSERT(end.has_value() && *end == forwarded.size());
  static protocol::RequestHead again;
  LMB_ASSERT(protocol::parse_request_head(forwarded, wide, again).has_value());
  LMB_ASSERT(again.framing == BodyFraming::counted && again.content_length == 7);
  LMB_ASSERT(!again.expect_continue);
  LMB_ASSERT(again.fields.find("authorization") == nullptr);
  LMB_ASSERT(again.fields.find("x-api-key") == nullptr);
}

}  // namespace
}  // namespace lmb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const fuzz::Cuts cuts(input.byte());
  const std::string text = input.rest();
  protocol::HeadLimits limits;
  limits.head_bytes = 4096;
  const auto skipped = protocol::leading_empty_lines(text) * 2;
  const std::string head_text = text.substr(skipped);
  const auto end = fuzz::end_of(head_text, limits, cuts);
  if (end == 0) return 0;
  const std::string_view whole = std::string_view(head_text).substr(0, end);
  static protocol::RequestHead head;
  const auto parsed = protocol::parse_request_head(whole, limits, head);
  if (!parsed) {
    LMB_ASSERT(parsed.error().detail().find_first_of("\r\n") == std::string::npos);
    return 0;
  }
  LMB_ASSERT(!head.method.empty() && !head.target.empty());
  LMB_ASSERT(fuzz::within(head.method, whole));
  // An absolute form without a path means "/", which does not stand there.
  LMB_ASSERT(fuzz::within(head.target, whole) || head.target == "/");
  LMB_ASSERT(head.framing != protocol::BodyFraming::until_close);
  LMB_ASSERT(head.framing != protocol::BodyFraming::chunked || head.http_1_1);
  for (const auto& field : head.fields.all()) {
    LMB_ASSERT(fuzz::within(field.name, whole) && fuzz::within(field.value, whole));
    LMB_ASSERT(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
  (void)protocol::find_route(head.target);
  (void)protocol::via_names(head, "lmbalancer-1");
  (void)protocol::valid_request_id(head);
  fuzz::check_forwarded(head);
  return 0;
}
