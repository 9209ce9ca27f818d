// Event streams: what the scanner notes does not depend on how the bytes come.
#include <string>
#include <string_view>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/sse_scanner.hpp"

namespace lmb::fuzz {
namespace {

struct Sums {
  std::uint64_t events = 0;
  std::uint64_t token_deltas = 0;
  bool error = false;
  bool finished = false;
  void add(const protocol::SseScanner::Seen& seen) {
    events += seen.events;
    token_deltas += seen.token_deltas;
    error = error || seen.error;
    finished = finished || seen.finished;
  }
  bool operator==(const Sums&) const = default;
};

bool same(const protocol::Usage& a, const protocol::Usage& b) {
  return a.prompt_tokens == b.prompt_tokens && a.generated_tokens == b.generated_tokens;
}

}  // namespace
}  // namespace lmb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const auto dialect = static_cast<protocol::Dialect>(input.below(7));
  fuzz::Cuts cuts(input.byte());
  const std::string text = input.rest();
  protocol::SseScanner whole(dialect);
  fuzz::Sums at_once;
  at_once.add(whole.observe(text));
  protocol::SseScanner cut(dialect);
  fuzz::Sums in_pieces;
  for (std::size_t at = 0; at < text.size();) {
    const auto piece = cuts.next(text.size() - at);
    // A buffer of its own size: a read beyond the piece shows.
    const std::string bytes = text.substr(at, piece);
    in_pieces.add(cut.observe(bytes));
    at += piece;
  }
  LMB_ASSERT(at_once == in_pieces);
  LMB_ASSERT(whole.events() == at_once.events && whole.token_deltas() == at_once.token_deltas);
  LMB_ASSERT(whole.events() == cut.events() && whole.token_deltas() == cut.token_deltas());
  LMB_ASSERT(whole.at_event_boundary() == cut.at_event_boundary());
  LMB_ASSERT(whole.saw_error() == cut.saw_error() && whole.saw_finish() == cut.saw_finish());
  LMB_ASSERT(whole.saw_finish_reason() == cut.saw_finish_reason());
  LMB_ASSERT(whole.error_message() == cut.error_message());
  LMB_ASSERT(whole.error_message().size() <= 512);
  LMB_ASSERT(whole.error_type() == cut.error_type());
  LMB_ASSERT(whole.response_id() == cut.response_id());
  LMB_ASSERT(whole.usage().has_value() == cut.usage().has_value());
  LMB_ASSERT(!whole.usage() || fuzz::same(*whole.usage(), *cut.usage()));
  LMB_ASSERT(whole.token_deltas() <= whole.events());
  return 0;
}
