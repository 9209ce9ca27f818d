// Chunked bodies: the same in any pieces, and what we take for whole Beast takes for the same
// bytes.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <span>
#include <string>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/body_decoder.hpp"

namespace lmb::fuzz {
namespace {

struct Decoded {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
  bool broken = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string text, Cuts cuts, bool whole) {
  protocol::BodyDecoder decoder(protocol::BodyFraming::chunked, 0);
  Decoded out;
  while (out.consumed < text.size() && !decoder.done()) {
    const auto left = text.size() - out.consumed;
    const auto piece = whole ? left : cuts.next(left);
    const auto step = decoder.decode(std::span(text.data() + out.consumed, piece));
    LMB_ASSERT(step.payload <= step.consumed && step.consumed <= piece);
    if (step.broken) {
      out.broken = true;
      return out;
    }
    LMB_ASSERT(decoder.done() || step.consumed == piece);
    out.payload.append(text.data() + out.consumed, step.payload);
    out.consumed += step.consumed;
  }
  out.done = decoder.done();
  return out;
}

bool has_obs_text(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

void compare_with_beast(const std::string& text, const Decoded& ours) {
  namespace http = boost::beast::http;
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(boost::none);
  boost::system::error_code ec;
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto whole = head + text;
  std::size_t used = 0;
  while (used < whole.size() && !parser.is_done() && !ec) {
    const auto step = parser.put(boost::asio::buffer(whole.data() + used, whole.size() - used), ec);
    used += step;
    if (step == 0) break;
  }
  // RFC 9110 section 5.6.4 has obs-text in quotes, Beast has not.
  if (ec == http::error::bad_chunk_extension && has_obs_text(text)) return;
  LMB_ASSERT(!ec && parser.is_done());
  LMB_ASSERT(parser.get().body() == ours.payload);
  LMB_ASSERT(used == head.size() + ours.consumed);
}

}  // namespace
}  // namespace lmb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb::fuzz;
  Input input(data, size);
  const Cuts cuts(input.byte());
  const std::string text = input.rest();
  const auto at_once = decode(text, cuts, true);
  const auto in_pieces = decode(text, cuts, false);
  LMB_ASSERT(at_once.broken == in_pieces.broken);
  // Of a broken body nothing counts, so the pieces before the fault need not be the same.
  if (at_once.broken) return 0;
  LMB_ASSERT(at_once == in_pieces);
  if (at_once.done) compare_with_beast(text, at_once);
  return 0;
}
