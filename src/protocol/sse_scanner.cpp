#include "lmb/protocol/sse_scanner.hpp"

#include <cstring>
#include <utility>

#include "stream_event.hpp"

namespace lmb::protocol {
namespace {

constexpr std::size_t pattern_bytes_max = 4 * 1024;
/// A tail buffer above this size is given back after its event.
constexpr std::size_t kept_tail_bytes = 16 * 1024;

/// Finds line ends. Looks at each byte once per kind, however the kinds are mixed.
class LineEnds {
 public:
  explicit LineEnds(std::string_view text) noexcept : text_(text) {}

  /// Position of the first CR or LF at or after `from`, or npos.
  std::size_t next(std::size_t from) noexcept {
    if (lf_ != npos && (lf_ < from || !looked_)) lf_ = find('\n', from);
    if (cr_ != npos && (cr_ < from || !looked_)) cr_ = find('\r', from);
    looked_ = true;
    return lf_ < cr_ ? lf_ : cr_;
  }

  static constexpr std::size_t npos = std::string_view::npos;

 private:
  [[nodiscard]] std::size_t find(char c, std::size_t from) const noexcept {
    const void* found =
        from < text_.size() ? std::memchr(text_.data() + from, c, text_.size() - from) : nullptr;
    return found == nullptr
               ? npos
               : static_cast<std::size_t>(static_cast<const char*>(found) - text_.data());
  }

  std::string_view text_;
  std::size_t lf_ = 0;
  std::size_t cr_ = 0;
  bool looked_ = false;
};

/// The fields of an event that a client would get (HTML Living Standard section 9.2.6).
struct EventFields {
  bool comments_only = true;
  bool has_data = false;
  std::string_view name;
  std::string_view data;  ///< Of the last data field; all of it unless `joined` is used.
  std::string joined;     ///< Several data fields, joined by LF.
  bool several = false;
};

void take_field(std::string_view line, EventFields& fields) {
  if (line.empty() || line.front() == ':') return;
  fields.comments_only = false;
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value =
      colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") fields.name = value;
  if (field != "data") return;
  if (fields.has_data) {
    if (!fields.several) fields.joined = fields.data;
    fields.several = true;
    fields.joined += '\n';
    fields.joined += value;
  }
  fields.has_data = true;
  fields.data = value;
}

void read_fields(std::string_view event, EventFields& fields) {
  LineEnds ends(event);
  for (std::size_t from = 0; from < event.size();) {
    const std::size_t end = ends.next(from);
    take_field(event.substr(from, end == LineEnds::npos ? end : end - from), fields);
    if (end == LineEnds::npos) break;
    from = end + 1;
  }
  if (fields.several) fields.data = fields.joined;
}

}  // namespace

bool SseScanner::Pattern::matches(std::string_view event) const noexcept {
  if (before.empty() || event.size() <= before.size() + after.size()) return false;
  if (!event.starts_with(before) || !event.ends_with(after)) return false;
  const char* at = event.data() + before.size();
  const char* const end = event.data() + (event.size() - after.size());
  // The text between must be one JSON string's inside: no quote, no line end, no escape over its
  // end.
  for (; at < end; ++at) {
    if (static_cast<unsigned char>(*at) < 0x20 || *at == '"') return false;
    if (*at == '\\') ++at;
  }
  return at == end;
}

SseScanner::Seen SseScanner::observe(std::string_view payload) {
  Seen seen;
  if (payload.empty()) return seen;
  if (std::exchange(after_cr_, false) && payload.front() == '\n') {
    if (!at_boundary_) keep_tail(payload.substr(0, 1));
    payload.remove_prefix(1);
    if (payload.empty()) return seen;
  }
  LineEnds ends(payload);
  std::size_t event_start = 0;
  std::size_t line_start = 0;
  while (line_start < payload.size()) {
    const std::size_t end = ends.next(line_start);
    if (end == LineEnds::npos) {
      at_line_start_ = false;
      break;
    }
    const bool blank = at_line_start_ && end == line_start;
    if (blank) end_event(payload.substr(event_start, line_start - event_start), seen);
    line_start = end + 1;
    at_line_start_ = true;
    if (payload[end] == '\r') {
      if (line_start == payload.size()) after_cr_ = true;
      if (line_start < payload.size() && payload[line_start] == '\n') ++line_start;
    }
    if (blank) event_start = line_start;
  }
  keep_tail(payload.substr(event_start));
  at_boundary_ = tail_.empty() && !overlong_;
  events_ += seen.events;
  token_deltas_ += seen.token_deltas;
  return seen;
}

void SseScanner::keep_tail(std::string_view part) {
  if (overlong_ || part.empty()) return;
  overlong_ = tail_.size() + part.size() > event_bytes_max_;
  if (overlong_) {
    std::string().swap(tail_);
  } else {
    tail_ += part;
  }
}

void SseScanner::end_event(std::string_view rest, Seen& seen) {
  if (tail_.empty() && !overlong_) {
    if (rest.size() <= event_bytes_max_) {
      if (!rest.empty()) judge_event(rest, seen);
    } else {
      note_unjudged(seen);
    }
    return;
  }
  keep_tail(rest);
  if (std::exchange(overlong_, false)) {
    note_unjudged(seen);
    return;
  }
  judge_event(tail_, seen);
  if (tail_.capacity() > kept_tail_bytes) std::string().swap(tail_);
  tail_.clear();
}

void SseScanner::note_unjudged(Seen& seen) {
  last_unjudged_ = true;
  last_error_ = false;
  ++unjudged_events_;
  ++seen.events;
}

void SseScanner::judge_event(std::string_view event, Seen& seen) {
  last_unjudged_ = false;
  if (pattern_.matches(event)) {
    last_error_ = false;
    ++seen.events;
    ++seen.token_deltas;
    return;
  }
  EventFields fields;
  read_fields(event, fields);
  if (fields.comments_only) return;
  last_error_ = false;
  ++seen.events;
  judge_data(fields.name, fields.data, fields.several ? std::string_view{} : event, seen);
}

void SseScanner::judge_data(std::string_view name, std::string_view data, std::string_view event,
                            Seen& seen) {
  // As OpenAI's SDKs take it, whatever follows on the line.
  if (data.starts_with("[DONE]")) {
    seen.finished = saw_finish_ = true;
    return;
  }
  StreamEvent read = read_stream_event(dialect_, name, data);
  if (read.token) ++seen.token_deltas;
  if (read.finished) seen.finished = saw_finish_ = true;
  if (read.finish_reason) saw_finish_reason_ = true;
  if (response_id_.empty()) response_id_ = std::move(read.response_id);
  if (read.error) {
    if (!saw_error_) {
      error_message_ = read.error_message;
      error_type_ = read.error_type;
    }
    seen.error = saw_error_ = last_error_ = true;
  }
  if (read.usage.prompt) prompt_tokens_ = *read.usage.prompt;
  if (read.usage.absurd) usage_absurd_ = true;
  if (usage_absurd_) {
    usage_.reset();
  } else if (read.usage.generated && (prompt_tokens_ != 0 || *read.usage.generated != 0)) {
    usage_ = Usage{prompt_tokens_, *read.usage.generated};
  }
  const bool token_only = read.token && !read.error && !read.finished && !read.finish_reason &&
                          !read.usage.prompt && !read.usage.generated;
  if (!token_only || read.token_text.empty() || event.empty()) return;
  const auto text_start = static_cast<std::size_t>(read.token_text.data() - event.data());
  const std::size_t text_end = text_start + read.token_text.size();
  if (event.size() - read.token_text.size() > pattern_bytes_max) return;
  pattern_.before = event.substr(0, text_start);
  pattern_.after = event.substr(text_end);
}

}  // namespace lmb::protocol
